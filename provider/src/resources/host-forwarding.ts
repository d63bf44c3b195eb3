import type { Input, Output } from "@pulumi/pulumi";
import { type ResourceOptions, XennetResource } from "./declaration";
import { hiddenWith, textsFrom } from "./secret-inputs";
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
  /** Where guests may open connections to: `any`, `none`, or networks such as `["203.0.113.0/24"]`. @default "any" */
  readonly outbound?: Input<"any" | "none" | Input<string>[]> | undefined;
  /**
   * Whether guests reach the other members of the pool, and the servers that it keeps storage on. With SNAT these would take
   * guests for dom0, which may be trusted by its address. @default false
   */
  readonly outboundToInfrastructure?: Input<boolean> | undefined;
  /** What the outside reaches: only what a {@link PortForward} forwards, or the whole network (a warning). @default "forwarded" */
  readonly inbound?: Input<"forwarded" | "network"> | undefined;
  /**
   * How guests' connections get an address of dom0: its external `address`, `masquerade` (whichever it has at the moment), or
   * not at all. `auto` is `masquerade` where the address is assigned by DHCP, else `address`. @default "auto"
   */
  readonly snat?: Input<"auto" | "address" | "masquerade" | "off"> | undefined;
  /**
   * Where IP forwarding is switched on: for bridge and external interface, or for the whole host (`net.ipv4.ip_forward`); put
   * back when no forwarding asks for it any more. @default "interface"
   */
  readonly forwardingScope?: Input<"interface" | "global"> | undefined;
  /** Whether ARP is switched on for the bridge. @default true */
  readonly arp?: Input<boolean> | undefined;
  /** `net.ipv4.conf.<bridge>.proxy_arp`. @default - left alone */
  readonly proxyArp?: Input<boolean> | undefined;
  /** `send_redirects` of bridge and external interface. @default - left alone */
  readonly sendRedirects?: Input<boolean> | undefined;
  /** `arp_filter` of bridge and external interface. @default - left alone */
  readonly arpFilter?: Input<boolean> | undefined;
  /**
   * Largest TCP segment through the external interface: a number of bytes (536 to 9000), `off`, or `auto`: as the path allows,
   * where the external network's MTU is below the internal one's. @default "auto"
   */
  readonly clampMss?: Input<"auto" | "off" | number> | undefined;
  /** What guests may open on dom0 itself besides ping. @default "none" */
  readonly guestAccessToHost?: Input<"none" | Input<HostAccessArgs>[]> | undefined;
  /** Whether nothing else is routed from or to the network; `false` leaves it to the host's own firewall (a warning). @default true */
  readonly isolation?: Input<boolean> | undefined;
  /**
   * Whether the host itself puts everything back after a reboot or a firewall reload. `none` counts while every declaration on
   * the host has it. @default "auto"
   */
  readonly persistence?: Input<"auto" | "none"> | undefined;
}

/** Something guests may open on dom0; one of the three is needed. */
export interface HostAccessArgs {
  /** Only guests in this part of the network, or with this address. @default - the whole network */
  readonly source?: Input<string> | undefined;
  /** @default - both where a port is given, else every protocol */
  readonly protocol?: Input<"tcp" | "udp" | "both"> | undefined;
  /** A port, or a range such as `"8000-8010"`. @default - every port */
  readonly port?: Input<number | string> | undefined;
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
  /** `active`, `waiting` (the host cannot resolve bridge or outside yet), or `off` (switched off at its console). */
  declare readonly status: Output<"active" | "waiting" | "off">;
  /** Interface to the outside as the host resolved it. */
  declare readonly resolvedExternalInterface: Output<string>;
  /** Address on that interface as the host resolved it. */
  declare readonly resolvedExternalAddress: Output<string>;
  /** The rules as text, one line each: the table, then the rule as `iptables-save` prints it. */
  declare readonly rules: Output<string[]>;
  /** Files and directories that this package has placed on the host; all resources of the host share them. */
  declare readonly files: Output<string[]>;
  /** Rules of others that decide about the network's packets before ours, as `<table> <rule>`. */
  declare readonly shadowedBy: Output<string[]>;
  /** What the last refresh found missing on the host; the next `up` puts it back. */
  declare readonly drift: Output<string[]>;

  constructor(name: string, args: HostForwardingArgs, opts?: ResourceOptions) {
    const { network: given, ...own } = args;
    const { network, networkLabel, bridge, networkMtu } = partsOf(given);
    // The address found may be that of the interface.
    const outside = [args.externalInterface, args.externalAddress];
    // Whatever is declared shows in the rules, and so does the bridge that the host tells.
    const sources = [...Object.values(own), networkLabel, bridge, networkMtu];
    const texts = textsFrom(sources);
    const outputs = {
      ...{ bridgePresent: undefined, status: undefined, files: undefined },
      bridge: hiddenWith(bridge, ""),
      networkUuid: hiddenWith(network, ""),
      resolvedExternalInterface: hiddenWith(args.externalInterface, ""),
      resolvedExternalAddress: hiddenWith(outside, ""),
      shadowedBy: hiddenWith<string[]>(sources, []),
      ...{ rules: texts, drift: texts },
    };
    super("HostForwarding", name, { ...own, network, networkLabel, networkMtu, ...outputs }, opts);
  }
}

/**
 * What is handed on of the network; the bridge of one that is only named is as secret as that name. A network that is still to
 * be made has no UUID to ask the host by: its MTU says whether segments are clamped, so that preview shows those rules, too.
 */
function partsOf(given: HostForwardingArgs["network"]) {
  if (!(given instanceof XenNetwork))
    return { network: given, networkLabel: given, bridge: given, networkMtu: undefined };
  return { network: given.id, networkLabel: given.nameLabel, bridge: given.bridge, networkMtu: given.mtu };
}
