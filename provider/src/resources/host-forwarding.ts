import { all, type Input, type Output } from "@pulumi/pulumi";
import { type ResourceOptions, XennetResource } from "./declaration";
import { XenNetwork } from "./xen-network";

/** What a {@link HostForwarding} declares. */
export interface HostForwardingArgs {
  /** Name of the host profile. @default "default" */
  readonly host?: Input<string> | undefined;
  /** The internal network: a {@link XenNetwork}, or the UUID or the name label of an existing one. */
  readonly network: XenNetwork | Input<string>;
  /** dom0's own address on that network with prefix length, e.g. `192.168.100.1/24`: the guests' gateway. */
  readonly address: Input<string>;
  /** Interface to the outside. @default - dom0's management interface */
  readonly externalInterface?: Input<string> | undefined;
  /** IPv4 address on that interface. @default - its first one */
  readonly externalAddress?: Input<string> | undefined;
}

/**
 * Makes dom0 the router of an internal network: its address on the bridge, forwarding between the bridge and the external
 * interface, accept rules ahead of the stock firewall, and SNAT, so that guests reach the outside. Kept through reboots,
 * re-made bridges and firewall reloads.
 *
 * @example
 * const nat = new HostForwarding("nat", { network: internal, address: "192.168.100.1/24" });
 */
export class HostForwarding extends XennetResource {
  declare readonly host: Output<string>;
  /** Id of the network. */
  declare readonly network: Output<string>;
  declare readonly address: Output<string>;
  /** As declared; undefined when it is the management interface. */
  declare readonly externalInterface: Output<string> | undefined;
  /** As declared; undefined when it is the interface's first one. */
  declare readonly externalAddress: Output<string> | undefined;
  /** Name label of the network where it is known, for people. */
  declare readonly networkLabel: Output<string>;
  /** The bridge of the network, empty while the host does not know it. */
  declare readonly bridge: Output<string>;
  /** False while the bridge does not exist: the rules are in place, the address follows with the bridge. */
  declare readonly bridgePresent: Output<boolean>;
  /** Interface to the outside as the host resolved it. */
  declare readonly resolvedExternalInterface: Output<string>;
  /** Address on that interface as the host resolved it. */
  declare readonly resolvedExternalAddress: Output<string>;
  /** The rules as text, one line each: the table, then the rule as `iptables-save` prints it. */
  declare readonly rules: Output<string[]>;
  /** What the last refresh found missing on the host; the next `up` puts it back. */
  declare readonly drift: Output<string[]>;

  constructor(name: string, args: HostForwardingArgs, opts?: ResourceOptions) {
    const isNetwork = args.network instanceof XenNetwork;
    const network = isNetwork ? (args.network as XenNetwork).id : (args.network as Input<string>);
    const networkLabel = isNetwork ? (args.network as XenNetwork).nameLabel : network;
    // `check` fills `rules` in; as it is derived from these inputs it has to be secret when one of them is.
    const rules = all([args.address, args.externalAddress, args.externalInterface]).apply((): string[] => []);
    const outputs = {
      bridge: undefined,
      bridgePresent: undefined,
      resolvedExternalInterface: undefined,
      resolvedExternalAddress: undefined,
      drift: undefined,
    };
    super("HostForwarding", name, { ...args, network, networkLabel, rules, ...outputs }, opts);
  }
}
