/** Tables and chains of ours; every name stays under the 28 characters that iptables 1.4 takes. */
export const chains = {
  forward: { table: "filter", name: "XENNET-FORWARD" },
  input: { table: "filter", name: "XENNET-INPUT" },
  prerouting: { table: "nat", name: "XENNET-PREROUTING" },
  postrouting: { table: "nat", name: "XENNET-POSTROUTING" },
  output: { table: "nat", name: "XENNET-OUTPUT" },
  clamp: { table: "mangle", name: "XENNET-FORWARD" },
} as const;

export type Chain = keyof typeof chains;

/** Names the host program resolves at every apply, because what they stand for changes (pool join, DHCP). */
export const roles = {
  bridge: "@BRIDGE@",
  externalInterface: "@EXT_IF@",
  externalAddress: "@EXT_IP@",
  /** One rule each: bridges `xapi<N>` that are there and belong to no network of ours, and the management interface. */
  otherBridge: "@OTHER_BRIDGE@",
  /** One rule each: interfaces that route only because a forwarding of ours switched it on. */
  openedInterface: "@OPENED_IF@",
} as const;

/** Every bridge that XAPI names itself: internal networks, VLANs, bonds. */
export const anyBridge = "xapi+";

/**
 * Place of a rule inside its chain, lowest first. What keeps dom0 manageable goes before every DNAT; replies go early as
 * they are most of the traffic; closing rules must come after every accept. What conntrack cannot place goes before all.
 */
export const ranks = {
  management: 10,
  invalid: 15,
  established: 20,
  portForward: 50,
  infrastructure: 55,
  network: 60,
  closing: 90,
  opened: 91,
  knownBridge: 92,
  unknownBridge: 93,
  toKnownBridge: 94,
  toUnknownBridge: 95,
} as const;

export type Target =
  | { readonly jump: "ACCEPT" | "DROP" | "RETURN" | "MASQUERADE" }
  | { readonly jump: "REJECT"; readonly with: "icmp-host-prohibited" }
  | { readonly jump: "DNAT"; readonly to: string }
  | { readonly jump: "SNAT"; readonly to: string }
  | { readonly jump: "TCPMSS"; readonly mss: number | "pmtu" };

/** In the order in which iptables prints them. */
export type ConnectionState = "RELATED,ESTABLISHED" | "ESTABLISHED" | "INVALID" | "INVALID,NEW" | "INVALID,NEW,RELATED";

/** One rule, in the terms of iptables. Only matches that iptables 1.3.5 (XenServer 5.6) has as well. */
export interface Rule {
  readonly chain: Chain;
  readonly rank: number;
  /** With prefix length. */
  readonly source?: string;
  /** With prefix length. */
  readonly destination?: string;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly protocol?: "tcp" | "udp" | "icmp";
  /** `80`, or `8000:8010`. */
  readonly sourcePorts?: string;
  /** Ports as the packet carries them here: in `forward` those after DNAT. */
  readonly destinationPorts?: string;
  /** Only the packets that open a TCP connection. */
  readonly opensTcp?: boolean;
  /** Only what is for an address of dom0 itself. */
  readonly isForHost?: boolean;
  readonly state?: ConnectionState;
  /** Who opened the connection, as its first packet said; with prefix length. */
  readonly originSource?: string;
  /** Where the connection was opened to, before any DNAT; with prefix length. */
  readonly originDestination?: string;
  /** Only connections that a DNAT rule redirected. */
  readonly wasDnated?: boolean;
  /** Only what opens a connection, or belongs to one whose addresses are rewritten: not to one that was opened while SNAT was missing. */
  readonly isTranslated?: boolean;
  readonly target: Target;
}
