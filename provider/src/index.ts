export type { LookUpOptions } from "./lookups/look-up";
export type { XenVifRow } from "./lookups/vif-rows";
export {
  type GetXenHostArgs,
  type GetXenHostOutputArgs,
  type GetXenHostResult,
  getXenHost,
  getXenHostOutput,
} from "./lookups/xen-host";
export {
  type GetXenNetworkArgs,
  type GetXenNetworkOutputArgs,
  type GetXenNetworkResult,
  getXenNetwork,
  getXenNetworkOutput,
} from "./lookups/xen-network";
export {
  type GetXenPifArgs,
  type GetXenPifOutputArgs,
  type GetXenPifResult,
  getXenPif,
  getXenPifOutput,
} from "./lookups/xen-pif";
export {
  type ListXenVifsArgs,
  type ListXenVifsOutputArgs,
  listXenVifs,
  listXenVifsOutput,
} from "./lookups/xen-vifs";
export {
  type GetXenVmArgs,
  type GetXenVmOutputArgs,
  type GetXenVmResult,
  getXenVm,
  getXenVmOutput,
} from "./lookups/xen-vm";
export type { ResourceOptions } from "./resources/declaration";
export { type HostAccessArgs, HostForwarding, type HostForwardingArgs } from "./resources/host-forwarding";
export { PortForward, type PortForwardArgs } from "./resources/port-forward";
export { XenNetwork, type XenNetworkArgs } from "./resources/xen-network";
export { type GuestIpv4, XenVif, type XenVifArgs } from "./resources/xen-vif";
