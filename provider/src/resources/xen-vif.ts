import type { Input, Output } from "@pulumi/pulumi";
import { type ResourceOptions, XennetResource } from "./declaration";
import { XenNetwork } from "./xen-network";

/** A static IPv4 setting of a guest. */
export interface GuestIpv4 {
  /** Address with prefix length, e.g. `192.168.100.11/24`. */
  readonly address: Input<string>;
  /** Gateway inside that network; usually the address of the {@link HostForwarding}. @default - no default route */
  readonly gateway?: Input<string> | undefined;
}

/** What a {@link XenVif} declares. */
export interface XenVifArgs {
  /** Name of the host profile. @default "default" */
  readonly host?: Input<string> | undefined;
  /** The VM, by UUID, name label, or the first 8 or more characters of its UUID. None or several is an error which lists the candidates. */
  readonly vm: Input<string>;
  /** The network: a {@link XenNetwork}, or an existing one by UUID, name label, or the first 8 or more characters of its UUID. */
  readonly network: XenNetwork | Input<string>;
  /** Device number inside the VM. A second VIF of a VM must name its own. @default "0" */
  readonly device?: Input<string | number> | undefined;
  /** MAC address, e.g. `02:16:3e:00:00:01`. @default - the one XAPI derives from VM and device, the same after a replace */
  readonly mac?: Input<string> | undefined;
  /**
   * The guest's address: set through XAPI where the guest's tools support it, otherwise it is the guest administrator's own
   * task (see `ipv4SetBy`). @default - not managed
   */
  readonly ipv4?: Input<GuestIpv4> | undefined;
  /**
   * What to do when the VM already has a VIF on this device: `fail`, or `takeOver`, which moves that VIF to our network,
   * keeping its UUID and MAC, and gives it back on destroy. @default "fail"
   */
  readonly onDeviceConflict?: Input<"fail" | "takeOver"> | undefined;
}

/**
 * A virtual network interface of a VM. Plugged at once when the VM runs.
 *
 * @example
 * new XenVif("web1", { vm: "Fedora server 1", network: internal });
 * @example
 * new XenVif("web1", {
 *   vm: "Fedora server 1",
 *   network: internal,
 *   onDeviceConflict: "takeOver",
 *   ipv4: { address: "192.168.100.11/24", gateway: "192.168.100.1" },
 * });
 */
export class XenVif extends XennetResource {
  declare readonly host: Output<string>;
  declare readonly vm: Output<string>;
  /** Id of the network. */
  declare readonly network: Output<string>;
  declare readonly device: Output<string>;
  declare readonly ipv4: Output<{ address: string; gateway?: string } | undefined>;
  declare readonly onDeviceConflict: Output<string>;
  /** UUID in XAPI, as `xe vif-list` shows it. */
  declare readonly uuid: Output<string>;
  declare readonly mac: Output<string>;
  /** Whether the VIF was plugged into a running VM when it was last looked at. */
  declare readonly currentlyAttached: Output<boolean>;
  /** Who sets `ipv4` in the guest: `xapi`, `guest` (its administrator), or `none` when nothing is declared. */
  declare readonly ipv4SetBy: Output<"xapi" | "guest" | "none">;
  /** True when the VIF was there before and will be given back on destroy. */
  declare readonly takenOver: Output<boolean>;

  constructor(name: string, args: XenVifArgs, opts?: ResourceOptions) {
    const network = args.network instanceof XenNetwork ? args.network.id : args.network;
    const outputs = { uuid: undefined, currentlyAttached: undefined, ipv4SetBy: undefined, takenOver: undefined };
    super("XenVif", name, { mac: undefined, ...args, network, ...outputs }, opts);
  }
}
