import type { SavedRule } from "../../../provider/src/rules/saved.ts";
import { contains, parseCidr } from "../../../provider/src/validation/ipv4.ts";

/** A dom0 as packets meet it: its rules, and the address of each interface with prefix length. */
export interface TracedHost {
  readonly rules: readonly SavedRule[];
  readonly interfaces: Readonly<Record<string, string>>;
  /** The interface of the default route. */
  readonly outside: string;
}

/** What opens a connection: of TCP, unless it says otherwise. */
export interface Opening {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol?: "tcp" | "udp";
}

/** Where a connection ends, and which peer is seen there; or how it fails. */
export type Fate =
  | { readonly kind: "answered"; readonly by: string; readonly port: number; readonly peer: string }
  | { readonly kind: "refused" | "dropped" };

interface Packet extends Opening {
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly sourcePort?: number;
  readonly state: "NEW" | "ESTABLISHED";
  readonly dnated: boolean;
  readonly snated: boolean;
  /** The connection's first packet, as it came. */
  readonly origin: Opening;
}

type Verdict = { readonly jump: string; readonly to?: string | undefined };

const dropped = { kind: "dropped" } as const;

/** Follows a connection through the host as the kernel does: the opening packet by every chain, then its answer. */
export function trace(host: TracedHost, opening: Opening): Fate {
  const inInterface = interfaceOf(host, opening.source);
  const isOwn = isLocal(host, opening.source);
  if (!isOwn && inInterface === interfaceOf(host, opening.destination) && !isLocal(host, opening.destination)) {
    return answered(opening.destination, opening.port, opening.source);
  }
  const first: Packet = {
    ...opening,
    ...(isOwn ? {} : { inInterface }),
    ...{ state: "NEW", dnated: false, snated: false, origin: opening },
  };
  const translated = destinationNat(host, first, isOwn ? "OUTPUT" : "PREROUTING");
  if (isLocal(host, translated.destination)) {
    const verdict = isOwn ? { jump: "ACCEPT" } : walk(host, "filter", "INPUT", translated);
    return verdict.jump === "ACCEPT"
      ? answered(translated.destination, translated.port, opening.source)
      : fateOf(verdict);
  }
  const leaving: Packet = { ...translated, outInterface: interfaceOf(host, translated.destination) };
  const verdict = isOwn ? walk(host, "filter", "OUTPUT", leaving) : walk(host, "filter", "FORWARD", leaving);
  if (verdict.jump !== "ACCEPT") return fateOf(verdict);
  const peer = sourceNat(host, leaving);
  return comesBack(host, leaving, peer, isOwn) ? answered(leaving.destination, leaving.port, peer) : dropped;
}

/** Whether the answer finds its way: a target that knows its peer as a neighbour answers past the host. */
function comesBack(host: TracedHost, sent: Packet, peer: string, isOwn: boolean): boolean {
  const isNeighbour = interfaceOf(host, peer) === sent.outInterface && !isLocal(host, peer);
  if (isNeighbour) return false;
  const answer: Packet = {
    protocol: sent.protocol ?? "tcp",
    ...{ source: sent.destination, destination: sent.source, sourcePort: sent.port, port: 50_000 },
    ...{ inInterface: sent.outInterface as string, state: "ESTABLISHED", dnated: sent.dnated },
    ...{ snated: peer !== sent.source, origin: sent.origin },
  };
  if (isOwn) return walk(host, "filter", "INPUT", answer).jump === "ACCEPT";
  const outInterface = interfaceOf(host, sent.source);
  return walk(host, "filter", "FORWARD", { ...answer, outInterface }).jump === "ACCEPT";
}

function destinationNat(host: TracedHost, packet: Packet, chain: string): Packet {
  const { jump, to = "" } = walk(host, "nat", chain, packet);
  if (jump !== "DNAT") return packet;
  const [destination = "", port] = to.split(":");
  return { ...packet, destination, port: port === undefined ? packet.port : Number(port), dnated: true };
}

function sourceNat(host: TracedHost, packet: Packet): string {
  const { jump, to } = walk(host, "nat", "POSTROUTING", packet);
  if (jump === "SNAT") return to ?? "";
  // A packet of dom0's own has the address of the way out, unless it was for an own address before.
  if (jump === "MASQUERADE") return (host.interfaces[packet.outInterface ?? ""] ?? "").split("/")[0] ?? "";
  return packet.source;
}

function walk(host: TracedHost, table: string, chain: string, packet: Packet): Verdict {
  return inChain(host, table, chain, packet) ?? { jump: "ACCEPT" };
}

/** `undefined`: the end of the chain was reached, or RETURN. */
function inChain(host: TracedHost, table: string, chain: string, packet: Packet): Verdict | undefined {
  for (const rule of host.rules.filter((one) => one.table === table && one.chain === chain)) {
    if (!matches(host, rule, packet)) continue;
    if (rule.jump === "RETURN") return undefined;
    const isChain = host.rules.some((one) => one.table === table && one.chain === rule.jump);
    if (!isChain) return { jump: rule.jump ?? "", to: rule.to };
    const verdict = inChain(host, table, rule.jump ?? "", packet);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

function matches(host: TracedHost, rule: SavedRule, packet: Packet): boolean {
  const is = <T>(match: { not: boolean; value: T } | undefined, test: (value: T) => boolean) =>
    match === undefined || test(match.value) !== match.not;
  const within = (text: string, port: number | undefined) =>
    port !== undefined &&
    text.split(",").some((part) => {
      const [from, to = from] = part.split(":").map(Number);
      return from !== undefined && to !== undefined && from <= port && port <= to;
    });
  const ranges = (list: readonly { from: number; to: number }[]) =>
    list.map(({ from, to }) => `${from}:${to}`).join(",");
  const isMet =
    is(rule.source, (cidr) => isIn(packet.source, cidr)) &&
    is(rule.destination, (cidr) => isIn(packet.destination, cidr)) &&
    is(rule.inInterface, (name) => isNamed(packet.inInterface, name)) &&
    is(rule.outInterface, (name) => isNamed(packet.outInterface, name)) &&
    is(rule.protocol, (name) => name === (packet.protocol ?? "tcp")) &&
    is(rule.sourcePorts, (list) => within(ranges(list), packet.sourcePort)) &&
    is(rule.destinationPorts, (list) => within(ranges(list), packet.port)) &&
    (rule.destinationType === undefined || isLocal(host, packet.destination)) &&
    is(rule.originSource, (cidr) => isIn(packet.origin.source, cidr)) &&
    is(rule.originDestination, (cidr) => isIn(packet.origin.destination, cidr)) &&
    isInState(rule.state, packet) &&
    isInState(rule.connectionState, packet);
  if (isMet && !rule.isWhole) throw new Error(`this rule cannot be traced: ${rule.text}`);
  return isMet;
}

/** `xapi+` is every interface whose name begins so. */
function isNamed(interfaceName: string | undefined, pattern: string): boolean {
  return pattern.endsWith("+") ? interfaceName?.startsWith(pattern.slice(0, -1)) === true : interfaceName === pattern;
}

function isInState(text: string | undefined, { state, dnated, snated }: Packet): boolean {
  const states = text?.split(",");
  if (states === undefined || states.includes(state)) return true;
  return (dnated && states.includes("DNAT")) || (snated && states.includes("SNAT"));
}

function fateOf(verdict: Verdict): Fate {
  return { kind: verdict.jump === "REJECT" ? "refused" : "dropped" };
}

function answered(by: string, port: number, peer: string): Fate {
  return { kind: "answered", by, port, peer };
}

function isLocal(host: TracedHost, address: string): boolean {
  return Object.values(host.interfaces).some((cidr) => cidr.split("/")[0] === address);
}

function interfaceOf(host: TracedHost, address: string): string {
  const found = Object.entries(host.interfaces).find(([, cidr]) => isIn(address, cidr));
  return found?.[0] ?? host.outside;
}

function isIn(address: string, cidr: string): boolean {
  const network = parseCidr(cidr);
  return network !== undefined && contains(network, address);
}
