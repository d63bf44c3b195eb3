// name, type, qualifier (RW, ctor: at create only, RO), API version that brought it, default

/** Fields of class PBD. */
export const pbd = `
uuid string RO 1.1
host ref<host> ctor 1.1
SR ref<SR> ctor 1.1
device_config map<string,string> ctor 1.1
currently_attached bool RO 1.1
other_config map<string,string> RW 1.2
`;
