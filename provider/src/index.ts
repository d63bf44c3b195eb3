export type { ResourceOptions } from "./resources/declaration";
export { HostForwarding, type HostForwardingArgs } from "./resources/host-forwarding";
export { PortForward, type PortForwardArgs } from "./resources/port-forward";
export { XenNetwork, type XenNetworkArgs } from "./resources/xen-network";
export { type GuestIpv4, XenVif, type XenVifArgs } from "./resources/xen-vif";
