import { type Cidr, subnetOf } from "../validation/ipv4";
import type { Transport } from "../validation/scalars";
import { anyBridge, type Rule, ranks, roles } from "./rule";

/** What guests may open on dom0 itself. */
export interface HostAccess {
  /** With prefix length; absent: the whole internal network. */
  readonly source?: string | undefined;
  /** Absent: everything. */
  readonly protocols?: readonly Transport[] | undefined;
  /** `80`, or `8000:8010`. */
  readonly ports?: string | undefined;
}

/** What one host forwarding is made of; what is absent has its default. */
export interface HostForwardingSpec {
  readonly address: Cidr;
  /** Where guests may open connections to. Default: anywhere. */
  readonly outbound?: "any" | "none" | readonly string[] | undefined;
  /** Hosts that shall not see guests in the name of dom0. */
  readonly infrastructure?: readonly string[] | undefined;
  /** `network`: the outside reaches every guest's every port. Default: `forwarded`. */
  readonly inbound?: "forwarded" | "network" | undefined;
  /** Default: `address`. */
  readonly snat?: "address" | "masquerade" | "off" | undefined;
  readonly guestAccessToHost?: readonly HostAccess[] | undefined;
  /** Whether anything else is kept from being routed from or to the bridge. Default: true. */
  readonly isolation?: boolean | undefined;
  /** Whether a bridge that the host did not look at yet is closed until it has; the host's hooks look. Default: true. */
  readonly closesNewBridges?: boolean | undefined;
  /** Largest TCP segment: as the path allows, or a number of bytes. Default: left alone. */
  readonly clampMss?: "pmtu" | number | undefined;
}

const accept = { jump: "ACCEPT" } as const;
const drop = { jump: "DROP" } as const;
const replies = "RELATED,ESTABLISHED" as const;
/** What conntrack cannot place is never translated, so it would leave from the guest's own address. */
const invalid = { rank: ranks.invalid, state: "INVALID", target: drop } as const;
const inward = { inInterface: roles.externalInterface, outInterface: roles.bridge };
const outward = { inInterface: roles.bridge, outInterface: roles.externalInterface };

/**
 * Rules that let an internal network out through the external interface and keep it closed otherwise.
 *
 * Turning forwarding on opens FORWARD through the stock chain, which accepts 22, 80 and 443 from anywhere, and an address
 * on the bridge exposes dom0's own services to guests; hence the closing rules. They name the internal bridge only: an
 * external-wide DROP would also cut other people's routing through dom0.
 *
 * Replies are accepted by who opened the connection, never by `ESTABLISHED` alone: what somebody opened while rules were
 * missing (a firewall that restarts) ends when they are back.
 */
export function hostForwardingRules(spec: HostForwardingSpec): Rule[] {
  const subnet = subnetOf(spec.address);
  return [
    { chain: "forward", ...outward, ...invalid },
    { chain: "forward", ...inward, ...invalid },
    ...replyRules(spec, subnet),
    ...outboundRules(spec, subnet),
    ...(spec.inbound === "network" ? [open({ destination: subnet, ...inward })] : []),
    ...(spec.isolation === false ? leftAlone : closing),
    ...notRouted,
    ...inputRules(spec, subnet),
    ...(spec.closesNewBridges === false ? [] : newBridgeRules(spec)),
    ...snatRules(spec, subnet),
    ...clampRules(spec, subnet),
  ];
}

const closing: readonly Rule[] = [
  { chain: "forward", rank: ranks.closing, inInterface: roles.bridge, target: drop },
  { chain: "forward", rank: ranks.closing, outInterface: roles.bridge, target: drop },
];

/** Past the closing of new bridges, which another forwarding may bring. */
const leftAlone: readonly Rule[] = [
  { chain: "forward", rank: ranks.knownBridge, inInterface: roles.bridge, target: { jump: "RETURN" } },
  { chain: "forward", rank: ranks.toKnownBridge, outInterface: roles.bridge, target: { jump: "RETURN" } },
];

/**
 * Forwarding on the external interface makes dom0 a router between its other networks, too: storage for the LAN. Where
 * nothing was routed before, nothing but our own is routed now. What others publish by DNAT is theirs to accept, and what
 * leaves as it came is not routed, but bridged: with bridge-nf-call-iptables that comes by here, too.
 */
const notRouted: readonly Rule[] = [
  {
    ...{
      chain: "forward",
      rank: ranks.opened,
      inInterface: roles.openedInterface,
      outInterface: roles.openedInterface,
    },
    target: { jump: "RETURN" },
  },
  {
    ...{ chain: "forward", rank: ranks.opened, inInterface: roles.openedInterface },
    ...{ wasDnated: true, target: { jump: "RETURN" } },
  },
  {
    ...{ chain: "forward", rank: ranks.opened, inInterface: roles.openedInterface },
    ...{ state: "INVALID,NEW", target: drop },
  },
];

/**
 * A bridge of ours may come back under another name, and its guests send before the host has looked: so every bridge that
 * the host does not know yet is closed. dom0's own connections through a new bridge of others are answered all the same.
 */
function newBridgeRules({ isolation }: HostForwardingSpec): Rule[] {
  const back = { jump: "RETURN" } as const;
  const closed = { state: "INVALID,NEW,RELATED", target: drop } as const;
  const input: Rule[] = [
    { chain: "input", rank: ranks.knownBridge, inInterface: roles.otherBridge, target: back },
    { chain: "input", rank: ranks.unknownBridge, inInterface: anyBridge, ...closed },
  ];
  if (isolation === false) return input;
  return [
    ...input,
    { chain: "forward", rank: ranks.knownBridge, inInterface: roles.otherBridge, target: back },
    { chain: "forward", rank: ranks.unknownBridge, inInterface: anyBridge, ...closed },
    // Only after what comes from an unknown one is closed: or it would reach all that are known.
    { chain: "forward", rank: ranks.toKnownBridge, outInterface: roles.otherBridge, target: back },
    { chain: "forward", rank: ranks.toUnknownBridge, outInterface: anyBridge, ...closed },
  ];
}

function open(match: Partial<Rule>): Rule {
  return { chain: "forward", rank: ranks.network, ...match, target: accept };
}

/** Inwards to guests that asked, and both ways of what was forwarded to them, wherever it came from. */
function replyRules({ outbound = "any", infrastructure = [], inbound }: HostForwardingSpec, subnet: string): Rule[] {
  const reply = { chain: "forward", rank: ranks.established, state: replies, target: accept } as const;
  const rules: Rule[] = [];
  if (outbound !== "none") rules.push({ ...reply, destination: subnet, ...inward, originSource: subnet });
  rules.push({ ...reply, destination: subnet, ...inward, wasDnated: true });
  if (outbound !== "any" || infrastructure.length > 0) {
    rules.push({ ...reply, source: subnet, ...outward, wasDnated: true });
  }
  if (inbound === "network") rules.push({ ...reply, source: subnet, ...outward, originDestination: subnet });
  return rules;
}

function outboundRules(spec: HostForwardingSpec, subnet: string): Rule[] {
  const { outbound = "any", infrastructure = [], snat } = spec;
  if (outbound === "none") return [];
  const refused = infrastructure.map((destination): Rule => {
    const target = { jump: "REJECT", with: "icmp-host-prohibited" } as const;
    return { chain: "forward", rank: ranks.infrastructure, source: subnet, destination, ...outward, target };
  });
  const out = { source: subnet, ...outward, ...(snat === "off" ? {} : { isTranslated: true }) };
  const opened = outbound === "any" ? [open(out)] : outbound.map((destination) => open({ ...out, destination }));
  return [...refused, ...opened];
}

function inputRules({ address, guestAccessToHost = [] }: HostForwardingSpec, subnet: string): Rule[] {
  const guest = { chain: "input", inInterface: roles.bridge } as const;
  const granted = guestAccessToHost.flatMap(({ source = subnet, protocols, ports }): Rule[] =>
    (protocols ?? [undefined]).map((protocol) => ({
      ...{ ...guest, rank: ranks.network, source },
      ...(protocol === undefined ? {} : { protocol }),
      ...(ports === undefined ? {} : { destinationPorts: ports }),
      target: accept,
    })),
  );
  return [
    // A packet that bears dom0's own address as its source is never let in, so only dom0 opens such connections.
    { ...guest, rank: ranks.established, state: replies, originSource: `${address.address}/32`, target: accept },
    // Redirects in the name of dom0's gateway are none of the subnet's.
    { ...guest, rank: ranks.network, source: subnet, protocol: "icmp", target: accept },
    ...granted,
    { ...guest, rank: ranks.closing, target: drop },
  ];
}

function snatRules({ outbound, snat = "address" }: HostForwardingSpec, subnet: string): Rule[] {
  if (snat === "off" || outbound === "none") return [];
  const target =
    snat === "masquerade" ? ({ jump: "MASQUERADE" } as const) : ({ jump: "SNAT", to: roles.externalAddress } as const);
  return [{ chain: "postrouting", rank: ranks.network, source: subnet, outInterface: roles.externalInterface, target }];
}

/** Both directions: each side sends segments as large as the other announced. */
function clampRules({ clampMss }: HostForwardingSpec, subnet: string): Rule[] {
  if (clampMss === undefined) return [];
  const opening = { chain: "clamp", rank: ranks.network, protocol: "tcp", opensTcp: true } as const;
  const target = { jump: "TCPMSS", mss: clampMss } as const;
  return [
    { ...opening, source: subnet, ...outward, target },
    { ...opening, destination: subnet, ...inward, target },
  ];
}
