// name, type, qualifier (RW, ctor: at create only, RO), API version that brought it, default

/** Fields of class network. */
export const network = `
uuid string RO 1.1
name_label string RW 1.1
name_description string RW 1.1
allowed_operations set<attaching> RO 1.1
current_operations map<string,attaching> RO 1.1
VIFs set<ref<VIF>> RO 1.1
PIFs set<ref<PIF>> RO 1.1
MTU int RW 1.7 1500
other_config map<string,string> RW 1.1
bridge string ctor 1.1
managed bool ctor 2.7 true
blobs map<string,ref<blob>> RO 1.3
tags set<string> RW 1.3
default_locking_mode unlocked|disabled RO 1.10 unlocked
assigned_ips map<ref<VIF>,string> RO 2.3
purpose set<nbd|insecure_nbd> RO 2.8
`;
