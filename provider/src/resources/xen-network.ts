import type { ID, Input, Output } from "@pulumi/pulumi";
import { type ExistingState, type ResourceOptions, XennetResource } from "./declaration";
import { hiddenWith } from "./secret-inputs";

/** What a {@link XenNetwork} declares. */
export interface XenNetworkArgs {
  /** Name of the host profile in the stack's configuration. @default "default", the keys `xennet:host` and so on */
  readonly host?: Input<string> | undefined;
  /**
   * Name as XenCenter and `xe` show it; 1 to 255 characters. XAPI does not ask for it to be unique. Required, unless `adopt`
   * names the network otherwise.
   */
  readonly nameLabel?: Input<string> | undefined;
  /** @default "" */
  readonly nameDescription?: Input<string> | undefined;
  /** MTU in bytes, 68 to 65535; running VMs see it after their VIF was plugged again. @default 1500 */
  readonly mtu?: Input<number> | undefined;
  /** Each tag once. @default - none */
  readonly tags?: Input<Input<string>[]> | undefined;
  /**
   * Keys of the network's `other_config`. Only the keys given here are managed; all others stay as they are. Keys that make
   * the host use the network itself are refused. @default - none
   */
  readonly otherConfig?: Input<Record<string, Input<string>>> | undefined;
  /**
   * Whether XenCenter adds a VIF on this network to every new VM (`other_config:automatic`). Always written on a network
   * made here, as clients disagree about what an absent key means: yes for XenCenter, no for Xen Orchestra. @default false
   */
  readonly automatic?: Input<boolean> | undefined;
  /**
   * What `network_default` means to the network's VIFs: `disabled` drops all their traffic. XAPI changes it only while no
   * VIF of the network is plugged. @default - not managed; a new network has "unlocked"
   */
  readonly defaultLockingMode?: Input<"unlocked" | "disabled"> | undefined;
  /**
   * Name of the bridge on the hosts: 1 to 15 letters, digits, `_`, `.`, `-`, not beginning with xen, xapi, vif, tap or eth.
   * Another name replaces the network. @default - XAPI chooses, e.g. `xapi1`
   */
  readonly bridge?: Input<string> | undefined;
  /**
   * Lets a delete take along the VIFs of others that are still on the network, after listing them; those of running VMs are
   * unplugged first. It counts from the `up` that sets it. @default false
   */
  readonly forceDestroy?: Input<boolean> | undefined;
  /**
   * Manages a network that is there already instead of making one: `true` finds it by `nameLabel`. Only what is declared is
   * changed, and destroy gives it back as it was. @default - a network is made
   */
  readonly adopt?: Input<true | { readonly uuid: Input<string> } | { readonly nameLabel: Input<string> }> | undefined;
}

/**
 * A network of a XenServer / XCP-ng pool. A new one has no physical interface: VMs on it reach each other and dom0, nothing
 * else, until a {@link HostForwarding} connects it. With `adopt` it is one that exists, such as the management network.
 *
 * @example
 * const internal = new XenNetwork("internal", { nameLabel: "Internal network" });
 *
 * @example
 * // XenCenter shall not add Network 0 to new VMs; destroy takes it back.
 * new XenNetwork("network0", { adopt: { nameLabel: "Network 0" }, automatic: false });
 */
export class XenNetwork extends XennetResource {
  declare readonly host: Output<string>;
  declare readonly nameLabel: Output<string>;
  declare readonly nameDescription: Output<string>;
  /** MTU in bytes. */
  declare readonly mtu: Output<number>;
  declare readonly tags: Output<string[]>;
  /** The keys that are declared. */
  declare readonly otherConfig: Output<Record<string, string> | undefined>;
  declare readonly automatic: Output<boolean>;
  declare readonly defaultLockingMode: Output<"unlocked" | "disabled">;
  declare readonly forceDestroy: Output<boolean | undefined>;
  /** UUID in XAPI, as `xe network-list` shows it. */
  declare readonly uuid: Output<string>;
  /** Name of the bridge on the hosts, e.g. `xapi1`; it exists while a VIF on it is plugged. */
  declare readonly bridge: Output<string>;
  /** False when XAPI leaves the bridge to somebody else. */
  declare readonly managed: Output<boolean>;
  /** UUIDs of the VIFs on the network when it was last looked at, sorted. */
  declare readonly vifUuids: Output<string[]>;
  /** UUIDs of the hosts' interfaces that belong to the network, sorted. */
  declare readonly pifUuids: Output<string[]>;

  /**
   * Reads a network that is there already and stays somebody else's: nothing is written to it, and destroy leaves it. Its
   * `id` is `<pool UUID>/<network UUID>`, as another stack's output has it. Fails when there is no such network.
   */
  static get(name: string, id: Input<ID>, state: ExistingState = {}, opts?: ResourceOptions): XenNetwork {
    return new XenNetwork(name, { host: state.host ?? "default" } as XenNetworkArgs, { ...opts, id });
  }

  constructor(name: string, args: XenNetworkArgs, opts?: ResourceOptions) {
    const observed = {
      ...{ nameLabel: undefined, nameDescription: undefined, mtu: undefined, tags: undefined, automatic: undefined },
      ...{ defaultLockingMode: undefined, bridge: undefined },
    };
    const outputs = { uuid: undefined, managed: undefined, vifUuids: undefined, pifUuids: undefined };
    // The state keeps how the network was found, and what it was like: its name among that.
    const found = args.adopt === undefined ? undefined : [args.adopt, args.nameLabel];
    const kept = { selector: hiddenWith(found, {}), former: hiddenWith(found, {}) };
    super("XenNetwork", name, { ...observed, ...args, ...outputs, ...kept }, opts);
  }
}
