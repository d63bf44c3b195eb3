import { contains, overlaps, parseCidr } from "../validation/ipv4";
import { type PortRange, portsOverlap } from "../validation/port-range";
import type { Transport } from "../validation/scalars";
import type { Match, SavedRule } from "./saved";

/** Ports of an address, as one forward takes them. */
export interface PortClaim {
  /** `undefined`: whichever address the host has. */
  readonly address: string | undefined;
  readonly protocol: Transport;
  readonly ports: PortRange;
}

/** True when some packet is meant by both. */
export function claimsOverlap(a: PortClaim, b: PortClaim): boolean {
  const sameAddress = a.address === undefined || b.address === undefined || a.address === b.address;
  return sameAddress && a.protocol === b.protocol && portsOverlap(a.ports, b.ports);
}

/** True when every packet of `inner` is meant by `outer` as well. */
export function claimCovers(outer: PortClaim, inner: PortClaim): boolean {
  const coversAddress = outer.address === undefined || outer.address === inner.address;
  const coversPorts = outer.ports.from <= inner.ports.from && inner.ports.to <= outer.ports.to;
  return coversAddress && outer.protocol === inner.protocol && coversPorts;
}

/** A program that listens on the host; one on another address, such as the loopback, is none of ours. */
export interface Listener {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

export function listenerOverlaps(claim: PortClaim, listener: Listener): boolean {
  const { address, protocol, port } = listener;
  const isEverywhere = address === "0.0.0.0" || address === "::";
  const isLoopback = address.startsWith("127.") || address === "::1";
  const meetsAddress = isEverywhere || (claim.address === undefined ? !isLoopback : claim.address === address);
  return meetsAddress && protocol === claim.protocol && portsOverlap(claim.ports, { from: port, to: port });
}

/** True when a DNAT or REDIRECT of others may take packets that come in by the interface for the claimed ports. */
export function redirectOverlaps(claim: PortClaim, inInterface: string | undefined, rule: SavedRule): boolean {
  if (rule.table !== "nat" || (rule.jump !== "DNAT" && rule.jump !== "REDIRECT")) return false;
  return (
    mayBe(rule.protocol, (name) => name === claim.protocol || name === "all") &&
    mayBePort(rule.destinationPorts, claim.ports) &&
    (claim.address === undefined || mayBe(rule.destination, (cidr) => isIn(claim.address as string, cidr))) &&
    (inInterface === undefined || mayBe(rule.inInterface, (name) => isInterface(inInterface, name)))
  );
}

/** Packets of ours, as a rule of others may meet them. */
export interface Flow {
  readonly inInterface?: string | undefined;
  readonly outInterface?: string | undefined;
  /** Networks the packets come from and go to, with prefix length. */
  readonly source?: string | undefined;
  readonly destination?: string | undefined;
  readonly protocol?: Transport | undefined;
  readonly ports?: PortRange | undefined;
}

const verdicts = new Set(["ACCEPT", "DROP", "REJECT", "DNAT", "REDIRECT", "SNAT", "MASQUERADE"]);

/** True when a rule of others decides about some packets of the flow before ours do. */
export function decidesFlow(flow: Flow, rule: SavedRule): boolean {
  if (!verdicts.has(rule.jump ?? "")) return false;
  return (
    meets(flow.inInterface, rule.inInterface, isInterface) &&
    meets(flow.outInterface, rule.outInterface, isInterface) &&
    meetsNetwork(flow.source, rule.source) &&
    meetsNetwork(flow.destination, rule.destination) &&
    meets(flow.protocol, rule.protocol, (own, name) => own === name || name === "all") &&
    (flow.ports === undefined || mayBePort(rule.destinationPorts, flow.ports))
  );
}

/** What is not known of the flow, or not asked by the rule, keeps neither from meeting the other. */
function meets(own: string | undefined, match: Match<string> | undefined, same: (a: string, b: string) => boolean) {
  return own === undefined || mayBe(match, (value) => same(own, value));
}

function mayBe(match: Match<string> | undefined, is: (value: string) => boolean): boolean {
  return match === undefined || is(match.value) !== match.not;
}

function mayBePort(match: Match<readonly PortRange[]> | undefined, ports: PortRange): boolean {
  if (match === undefined) return true;
  if (!match.not) return match.value.some((range) => portsOverlap(range, ports));
  return !match.value.some((range) => range.from <= ports.from && ports.to <= range.to);
}

/** `eth+` is every interface whose name begins with `eth`. */
function isInterface(own: string, name: string): boolean {
  return name.endsWith("+") ? own.startsWith(name.slice(0, -1)) : own === name;
}

function isIn(address: string, cidr: string): boolean {
  const network = parseCidr(cidr);
  return network !== undefined && contains(network, address);
}

function meetsNetwork(own: string | undefined, match: Match<string> | undefined): boolean {
  const [mine, theirs] = [parseCidr(own), parseCidr(match?.value)];
  if (mine === undefined || theirs === undefined) return true;
  if (match?.not !== true) return overlaps(mine, theirs);
  return mine.prefix < theirs.prefix || !overlaps(mine, theirs);
}
