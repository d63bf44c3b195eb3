// name, type, qualifier (RW, ctor: at create only, RO), API version that brought it, default

/** Fields of class host. */
export const host = `
uuid string RO 1.1
name_label string RW 1.1
name_description string RW 1.1
memory_overhead int RO 1.1
allowed_operations set<string> RO 1.1
current_operations map<string,string> RO 1.1
API_version_major int RO 1.1
API_version_minor int RO 1.1
API_version_vendor string RO 1.1
API_version_vendor_implementation map<string,string> RO 1.1
enabled bool RO 1.1
software_version map<string,string> ctor 1.1
other_config map<string,string> RW 1.1
capabilities set<string> ctor 1.1
cpu_configuration map<string,string> RO 1.1
sched_policy string RO 1.1
supported_bootloaders set<string> RO 1.1
resident_VMs set<ref<VM>> RO 1.1
logging map<string,string> RW 1.1
PIFs set<ref<PIF>> RO 1.1
suspend_image_sr ref<SR> RW 1.1
crash_dump_sr ref<SR> RW 1.1
crashdumps set<ref<host_crashdump>> RO 1.1
patches set<ref<host_patch>> RO 1.1
updates set<ref<pool_update>> RO 2.6
PBDs set<ref<PBD>> RO 1.1
host_CPUs set<ref<host_cpu>> RO 1.1
cpu_info map<string,string> RO 1.7
hostname string RW 1.1
address string RW 1.1
metrics ref<host_metrics> RO 1.1
license_params map<string,string> RO 1.1
ha_statefiles set<string> RO 1.3
ha_network_peers set<string> RO 1.3
blobs map<string,ref<blob>> RO 1.3
tags set<string> RW 1.3
external_auth_type string RO 1.6
external_auth_service_name string RO 1.6
external_auth_configuration map<string,string> RO 1.6
edition string RO 1.7
license_server map<string,string> RW 1.7 {"address":"localhost","port":"27000"}
bios_strings map<string,string> RO 1.7
power_on_mode string RO 1.7
power_on_config map<string,string> RO 1.7
local_cache_sr ref<SR> ctor 1.8
chipset_info map<string,string> RO 1.9
PCIs set<ref<PCI>> RO 1.9
PGPUs set<ref<PGPU>> RO 1.9
PUSBs set<ref<PUSB>> RO 2.8
ssl_legacy bool ctor 2.5 true
guest_VCPUs_params map<string,string> RW 1.10
display enabled|disable_on_reboot|disabled|enable_on_reboot RW 2.4 enabled
virtual_hardware_platform_versions set<int> RO 2.4 [0]
control_domain ref<VM> RO 2.6
updates_requiring_reboot set<ref<pool_update>> RO 2.6
features set<ref<Feature>> RO 2.7
iscsi_iqn string ctor 2.10
multipathing bool ctor 2.10
uefi_certificates string ctor 2.14
certificates set<ref<Certificate>> RO 2.15
editions set<string> RO 2.15
pending_guidances set<string> RO 2.20
tls_verification_enabled bool RO 2.20
last_software_update datetime RO 2.20
https_only bool RO 2.20
latest_synced_updates_applied yes|no|unknown RO 2.20 unknown
numa_affinity_policy any|best_effort|default_policy RO 2.20 default_policy
pending_guidances_recommended set<string> RO 2.20
pending_guidances_full set<string> RO 2.20
last_update_hash string RO 2.20
ssh_enabled bool RO 2.21 true
ssh_enabled_timeout int RO 2.21
ssh_expiry datetime RO 2.21
console_idle_timeout int RO 2.21
ssh_auto_mode bool RO 2.21
`;

/** Fields of class host_metrics. */
export const hostMetrics = `
uuid string RO 1.1
memory_total int RO 1.1
memory_free int RO 1.1
live bool RO 1.1
last_updated datetime RO 1.1
other_config map<string,string> RW 1.3
`;
