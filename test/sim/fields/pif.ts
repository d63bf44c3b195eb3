// name, type, qualifier (RW, ctor: at create only, RO), API version that brought it, default

/** Fields of class PIF. */
export const pif = `
uuid string RO 1.1
device string ctor 1.1
network ref<network> ctor 1.1
host ref<host> ctor 1.1
MAC string ctor 1.1
MTU int ctor 1.1
VLAN int ctor 1.1
metrics ref<PIF_metrics> RO 1.1
physical bool RO 1.2
currently_attached bool RO 1.2 true
ip_configuration_mode None|DHCP|Static RO 1.2 None
IP string RO 1.2
netmask string RO 1.2
gateway string RO 1.2
DNS string RO 1.2
bond_slave_of ref<Bond> RO 1.2
bond_master_of set<ref<Bond>> RO 1.2
VLAN_master_of ref<VLAN> RO 1.2
VLAN_slave_of set<ref<VLAN>> RO 1.2
management bool RO 1.2
other_config map<string,string> RW 1.2
disallow_unplug bool RO 1.3
tunnel_access_PIF_of set<ref<tunnel>> RO 1.8
tunnel_transport_PIF_of set<ref<tunnel>> RO 1.8
ipv6_configuration_mode None|DHCP|Static|Autoconf RO 1.10 None
IPv6 set<string> RO 1.10
ipv6_gateway string RO 1.10
primary_address_type IPv4|IPv6 RO 1.10 IPv4
managed bool ctor 2.1 true
properties map<string,string> RO 2.3
capabilities set<string> RO 2.5
igmp_snooping_status enabled|disabled|unknown RO 2.8 unknown
sriov_physical_PIF_of set<ref<network_sriov>> RO 2.10
sriov_logical_PIF_of set<ref<network_sriov>> RO 2.10
PCI ref<PCI> RO 2.10
`;

/** Fields of class PIF_metrics. */
export const pifMetrics = `
uuid string RO 1.1
io_read_kbs float RO 1.1
io_write_kbs float RO 1.1
carrier bool RO 1.1
vendor_id string RO 1.1
vendor_name string RO 1.1
device_id string RO 1.1
device_name string RO 1.1
speed int RO 1.1
duplex bool RO 1.1
pci_bus_path string RO 1.1
last_updated datetime RO 1.1
other_config map<string,string> RW 1.3
`;

/** Fields of class VLAN. */
export const vlan = `
uuid string RO 1.1
tagged_PIF ref<PIF> ctor 1.2
untagged_PIF ref<PIF> RO 1.2
tag int ctor 1.2 -1
other_config map<string,string> RW 1.2
`;

/** Fields of class Bond. */
export const bond = `
uuid string RO 1.1
master ref<PIF> ctor 1.2
slaves set<ref<PIF>> RO 1.2
other_config map<string,string> RW 1.2
primary_slave ref<PIF> RO 1.9
mode balance-slb|active-backup|lacp RO 1.9 balance-slb
properties map<string,string> RO 1.10
links_up int RO 1.10
auto_update_mac bool RO 2.14 true
`;
