// name, type, qualifier (RW, ctor: at create only, RO), API version that brought it, default

/** Fields of class pool. */
export const pool = `
uuid string RO 1.1
name_label string RW 1.1
name_description string RW 1.1
master ref<host> RO 1.1
default_SR ref<SR> RW 1.1
suspend_image_SR ref<SR> RW 1.1
crash_dump_SR ref<SR> RW 1.1
other_config map<string,string> RW 1.1
ha_enabled bool RO 1.3
ha_configuration map<string,string> RO 1.3
ha_statefiles set<string> RO 1.3
ha_host_failures_to_tolerate int RO 1.3
ha_plan_exists_for int RO 1.3
ha_allow_overcommit bool RW 1.3
ha_overcommitted bool RO 1.3
blobs map<string,ref<blob>> RO 1.3
tags set<string> RW 1.3
gui_config map<string,string> RW 1.3
health_check_config map<string,string> RW 2.5
wlb_url string RO 1.6
wlb_username string RO 1.6
wlb_enabled bool RW 1.6
wlb_verify_cert bool RW 1.6
redo_log_enabled bool RO 1.7
redo_log_vdi ref<VDI> RO 1.7
vswitch_controller string RO 1.7
restrictions map<string,string> RO 1.7
metadata_VDIs set<ref<VDI>> RO 1.9
ha_cluster_stack string RO 2.5
allowed_operations set<string> RO 1.1
current_operations map<string,string> RO 1.1
guest_agent_config map<string,string> RO 2.5
cpu_info map<string,string> RO 2.5
policy_no_vendor_device bool RW 2.5
live_patching_disabled bool RW 2.6
igmp_snooping_enabled bool RO 2.8
uefi_certificates string ctor 2.14
custom_uefi_certificates string ctor 2.20
is_psr_pending bool RW 2.15
tls_verification_enabled bool RO 2.20
repositories set<ref<Repository>> RO 2.20
client_certificate_auth_enabled bool RO 2.20
client_certificate_auth_name string RO 2.20
repository_proxy_url string RO 2.20
repository_proxy_username string RO 2.20
repository_proxy_password ref<secret> RO 2.20
migration_compression bool RW 2.20
coordinator_bias bool RW 2.20 true
local_auth_max_threads int ctor 2.20 8
ext_auth_max_threads int ctor 2.20 1
telemetry_uuid ref<secret> RO 2.20
telemetry_frequency daily|weekly|monthly RO 2.20 weekly
telemetry_next_collection datetime RO 2.20
last_update_sync datetime RO 2.20
update_sync_frequency daily|weekly RO 2.20 weekly
update_sync_day int RO 2.20
update_sync_enabled bool RO 2.20
`;

/** Fields of class session. */
export const session = `
uuid string RO 1.1
this_host ref<host> RO 1.1
this_user ref<user> RO 1.1
last_active datetime RO 1.1
pool bool RO 1.1
other_config map<string,string> RW 1.2
is_local_superuser bool RO 1.6
subject ref<subject> RO 1.6
validation_time datetime RO 1.6
auth_user_sid string RO 1.6
auth_user_name string RO 1.7
rbac_permissions set<string> ctor 1.7
tasks set<ref<task>> RO 1.7
parent ref<session> ctor 1.7
originator string RO 2.0
client_certificate bool RO 2.20
`;
