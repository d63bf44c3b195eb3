import type { Input, Output } from "@pulumi/pulumi";
import { type ResourceOptions, XennetResource } from "./declaration";

/** What a {@link XenNetwork} declares. */
export interface XenNetworkArgs {
  /** Name of the host profile in the stack's configuration. @default "default", the keys `xennet:host` and so on */
  readonly host?: Input<string> | undefined;
  /** Name as XenCenter and `xe` show it; 1 to 255 characters. XAPI does not ask for it to be unique. */
  readonly nameLabel: Input<string>;
  /** @default "" */
  readonly nameDescription?: Input<string> | undefined;
  /** MTU in bytes, 68 to 65535; running VMs see it after their VIF was plugged again. @default 1500 */
  readonly mtu?: Input<number> | undefined;
  /** @default - none */
  readonly tags?: Input<Input<string>[]> | undefined;
  /** Keys of the network's `other_config`. Only the keys given here are managed; all others stay as they are. @default - none */
  readonly otherConfig?: Input<Record<string, Input<string>>> | undefined;
  /**
   * Whether XenCenter adds a VIF on this network to every new VM (`other_config:automatic`). Always written, as clients
   * disagree about what an absent key means: yes for XenCenter, no for Xen Orchestra. @default false
   */
  readonly automatic?: Input<boolean> | undefined;
}

/**
 * A network of a XenServer / XCP-ng pool without a physical interface: VMs on it reach each other and dom0, nothing else,
 * until a {@link HostForwarding} connects it.
 *
 * @example
 * const internal = new XenNetwork("internal", { nameLabel: "Internal network" });
 */
export class XenNetwork extends XennetResource {
  declare readonly host: Output<string>;
  declare readonly nameLabel: Output<string>;
  declare readonly nameDescription: Output<string>;
  /** MTU in bytes. */
  declare readonly mtu: Output<number>;
  declare readonly tags: Output<string[]>;
  declare readonly otherConfig: Output<Record<string, string>>;
  declare readonly automatic: Output<boolean>;
  /** UUID in XAPI, as `xe network-list` shows it. */
  declare readonly uuid: Output<string>;
  /** Name of the bridge on the hosts, e.g. `xapi1`; it exists while a VIF on it is plugged. */
  declare readonly bridge: Output<string>;

  constructor(name: string, args: XenNetworkArgs, opts?: ResourceOptions) {
    super("XenNetwork", name, { ...args, uuid: undefined, bridge: undefined }, opts);
  }
}
