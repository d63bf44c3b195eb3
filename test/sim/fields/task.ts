// name, type, qualifier (RW, ctor: at create only, RO), API version that brought it, default

/** Fields of class task. */
export const task = `
uuid string RO 1.1
name_label string RO 1.1
name_description string RO 1.1
allowed_operations set<cancel|destroy> RO 1.1
current_operations map<string,cancel|destroy> RO 1.1
created datetime RO 1.1
finished datetime RO 1.1
status pending|success|failure|cancelling|cancelled RO 1.1
resident_on ref<host> RO 1.1
progress float RO 1.1
type string RO 1.1
result string RO 1.1
error_info set<string> RO 1.1
other_config map<string,string> RW 1.2
subtask_of ref<task> RO 1.3
subtasks set<ref<task>> RO 1.3
backtrace string RO 2.5 ()
`;
