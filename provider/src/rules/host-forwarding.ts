import { type Cidr, subnetOf } from "../validation/ipv4";
import type { Transport } from "../validation/scalars";
import { type Rule, ranks, roles } from "./rule";

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
  /** Largest TCP segment: as the path allows, or a number of bytes. Default: left alone. */
  readonly clampMss?: "pmtu" | number | undefined;
}

const accept = { jump: "ACCEPT" } as const;
const drop = { jump: "DROP" } as const;
const replies = "RELATED,ESTABLISHED" as const;
const inward = { inInterface: roles.externalInterface, outInterface: roles.bridge };
const outward = { inInterface: roles.bridge, outInterface: roles.externalInterface };

/**
 * Rules that let an internal network out through the external interface and keep it closed otherwise.
 *
 * Turning forwarding on opens FORWARD through the stock chain, which accepts 22, 80 and 443 from anywhere, and an address
 * on the bridge exposes dom0's own services to guests; hence the closing rules. They name the internal bridge only: an
 * external-wide DROP would also cut other people's routing through dom0.
 */
export function hostForwardingRules(spec: HostForwardingSpec): Rule[] {
  const subnet = subnetOf(spec.address);
  return [
    { chain: "forward", rank: ranks.established, destination: subnet, ...inward, state: replies, target: accept },
    ...outboundRules(spec, subnet),
    ...(spec.inbound === "network" ? [open({ destination: subnet, ...inward })] : []),
    ...(spec.isolation === false ? [] : closing),
    ...inputRules(spec, subnet),
    ...snatRules(spec, subnet),
    ...clampRules(spec, subnet),
  ];
}

const closing: readonly Rule[] = [
  { chain: "forward", rank: ranks.closing, inInterface: roles.bridge, target: drop },
  { chain: "forward", rank: ranks.closing, outInterface: roles.bridge, target: drop },
];

function open(match: Partial<Rule>): Rule {
  return { chain: "forward", rank: ranks.network, ...match, target: accept };
}

function outboundRules({ outbound = "any", infrastructure = [] }: HostForwardingSpec, subnet: string): Rule[] {
  const rules: Rule[] = [];
  // Guests answer what was forwarded to them, wherever it came from.
  if (outbound !== "any" || infrastructure.length > 0) {
    rules.push({
      chain: "forward",
      rank: ranks.established,
      source: subnet,
      ...outward,
      state: replies,
      target: accept,
    });
  }
  for (const destination of outbound === "none" ? [] : infrastructure) {
    const target = { jump: "REJECT", with: "icmp-host-prohibited" } as const;
    rules.push({ chain: "forward", rank: ranks.infrastructure, source: subnet, destination, ...outward, target });
  }
  if (outbound === "any") rules.push(open({ source: subnet, ...outward }));
  else if (outbound !== "none") {
    rules.push(...outbound.map((destination) => open({ source: subnet, destination, ...outward })));
  }
  return rules;
}

function inputRules({ guestAccessToHost = [] }: HostForwardingSpec, subnet: string): Rule[] {
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
    { ...guest, rank: ranks.established, state: replies, target: accept },
    { ...guest, rank: ranks.network, protocol: "icmp", target: accept },
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
