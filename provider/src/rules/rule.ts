/** Tables and chains of ours; every name stays under the 28 characters that iptables 1.4 takes. */
export const chains = {
  forward: { table: "filter", name: "XENNET-FORWARD" },
  input: { table: "filter", name: "XENNET-INPUT" },
  prerouting: { table: "nat", name: "XENNET-PREROUTING" },
  postrouting: { table: "nat", name: "XENNET-POSTROUTING" },
  output: { table: "nat", name: "XENNET-OUTPUT" },
} as const;

export type Chain = keyof typeof chains;

/** Names the host program resolves at every apply, because what they stand for changes (pool join, DHCP). */
export const roles = { bridge: "@BRIDGE@", externalInterface: "@EXT_IF@", externalAddress: "@EXT_IP@" } as const;

/**
 * Place of a rule inside its chain, lowest first. Replies go first as they are most of the traffic; closing rules must come
 * after every accept.
 */
export const ranks = { established: 20, portForward: 50, network: 60, closing: 90 } as const;

export type Target =
  | { readonly jump: "ACCEPT" | "DROP" }
  | { readonly jump: "DNAT"; readonly to: string }
  | { readonly jump: "SNAT"; readonly to: string };

/** One rule, in the terms of iptables. Only matches that iptables 1.3.5 (XenServer 5.6) has as well. */
export interface Rule {
  readonly chain: Chain;
  readonly rank: number;
  readonly source?: string;
  readonly destination?: string;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly protocol?: "tcp" | "udp" | "icmp";
  /** Port as the packet carries it here: in `forward` that is the port after DNAT. */
  readonly destinationPort?: number;
  readonly state?: "RELATED,ESTABLISHED";
  /** Only connections that a DNAT rule redirected. */
  readonly wasDnated?: boolean;
  readonly target: Target;
}
