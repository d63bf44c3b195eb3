// name, type, qualifier (RW, ctor: at create only, RO), API version that brought it, default

/** Fields of class VM. */
export const vm = `
uuid string RO 1.1
allowed_operations set<string> RO 1.1
current_operations map<string,string> RO 1.1
name_label string RW 1.1
name_description string RW 1.1
power_state Halted|Paused|Running|Suspended ctor 1.1 Halted
user_version int RW 1.1
is_a_template bool RW 1.1
is_default_template bool RO 2.7
suspend_VDI ref<VDI> ctor 1.1
resident_on ref<host> RO 1.1
scheduled_to_be_resident_on ref<host> RO 1.1
affinity ref<host> RW 1.1
memory_overhead int RO 1.1
memory_target int ctor 1.1
memory_static_max int ctor 1.1
memory_dynamic_max int ctor 1.1
memory_dynamic_min int ctor 1.1
memory_static_min int ctor 1.1
VCPUs_params map<string,string> RW 1.1
VCPUs_max int ctor 1.1
VCPUs_at_startup int ctor 1.1
actions_after_softreboot soft_reboot|destroy|restart|preserve RW 2.20 soft_reboot
actions_after_shutdown destroy|restart RW 1.1
actions_after_reboot destroy|restart RW 1.1
actions_after_crash destroy|coredump_and_destroy|restart|coredump_and_restart|preserve|rename_restart ctor 1.1
consoles set<ref<console>> RO 1.1
VIFs set<ref<VIF>> RO 1.1
VBDs set<ref<VBD>> RO 1.1
VUSBs set<ref<VUSB>> RO 1.1
crash_dumps set<ref<crashdump>> RO 1.1
VTPMs set<ref<VTPM>> RO 1.1
PV_bootloader string RW 1.1
PV_kernel string RW 1.1
PV_ramdisk string RW 1.1
PV_args string RW 1.1
PV_bootloader_args string RW 1.1
PV_legacy_args string RW 1.1
HVM_boot_policy string ctor 1.1
HVM_boot_params map<string,string> RW 1.1
HVM_shadow_multiplier float ctor 1.2 1
platform map<string,string> RW 1.1
PCI_bus string RW 1.1
other_config map<string,string> RW 1.1
domid int RO 1.1
domarch string RO 1.1
last_boot_CPU_flags map<string,string> ctor 1.1
is_control_domain bool RO 1.1
metrics ref<VM_metrics> RO 1.1
guest_metrics ref<VM_guest_metrics> RO 1.1
last_booted_record string ctor 1.2
recommendations string RW 1.1
xenstore_data map<string,string> RW 1.2
ha_always_run bool ctor 1.3
ha_restart_priority string ctor 1.3
is_a_snapshot bool RO 1.3
snapshot_of ref<VM> RO 1.3
snapshots set<ref<VM>> RO 1.3
snapshot_time datetime RO 1.3
transportable_snapshot_id string RO 1.3
blobs map<string,ref<blob>> RO 1.3
tags set<string> RW 1.3
blocked_operations map<string,string> RW 1.3
snapshot_info map<string,string> RO 1.7
snapshot_metadata string RO 1.7
parent ref<VM> RO 1.7
children set<ref<VM>> RO 1.7
bios_strings map<string,string> RO 1.7
protection_policy ref<VMPP> ctor 1.8
is_snapshot_from_vmpp bool ctor 1.8
snapshot_schedule ref<VMSS> ctor 2.7
is_vmss_snapshot bool ctor 2.7
appliance ref<VM_appliance> ctor 1.1
start_delay int ctor 1.9
shutdown_delay int ctor 1.9
order int ctor 1.9
VGPUs set<ref<VGPU>> RO 1.9
attached_PCIs set<ref<PCI>> RO 1.9
suspend_SR ref<SR> RW 1.9
version int ctor 1.9
generation_id string ctor 2.0 0:0
hardware_platform_version int RW 2.4
has_vendor_device bool ctor 2.5
requires_reboot bool RO 2.6
reference_label string ctor 2.6
domain_type hvm|pv|pv_in_pvh|pvh|unspecified ctor 2.10 unspecified
NVRAM map<string,string> ctor 2.12
pending_guidances set<string> RO 2.20
pending_guidances_recommended set<string> RO 2.20
pending_guidances_full set<string> RO 2.20
`;

/** Fields of class VM_metrics. */
export const vmMetrics = `
uuid string RO 1.1
memory_actual int RO 1.1
VCPUs_number int RO 1.1
VCPUs_utilisation map<int,float> RO 1.1
VCPUs_CPU map<int,int> RO 1.1
VCPUs_params map<string,string> RO 1.1
VCPUs_flags map<int,set<string>> RO 1.1
state set<string> RO 1.1
start_time datetime RO 1.1
install_time datetime RO 1.1
last_updated datetime RO 1.1
other_config map<string,string> RW 1.3
hvm bool RO 2.6
nested_virt bool RO 2.6
nomigrate bool RO 2.6
current_domain_type hvm|pv|pv_in_pvh|pvh|unspecified RO 2.10 unspecified
`;

/** Fields of class VM_guest_metrics. */
export const vmGuestMetrics = `
uuid string RO 1.1
os_version map<string,string> RO 1.1
PV_drivers_version map<string,string> RO 1.1
PV_drivers_up_to_date bool RO 1.1
memory map<string,string> RO 1.1
disks map<string,string> RO 1.1
networks map<string,string> RO 1.1
other map<string,string> RO 1.1
last_updated datetime RO 1.1
other_config map<string,string> RW 1.3
live bool RO 1.3
can_use_hotplug_vbd yes|no|unspecified RO 2.5 unspecified
can_use_hotplug_vif yes|no|unspecified RO 2.5 unspecified
PV_drivers_detected bool RO 2.5
`;
