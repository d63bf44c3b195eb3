import { type Cidr, subnetOf } from "../validation/ipv4";
import { type PortRange, renderPortRange, sizeOf } from "../validation/port-range";
import type { Transport } from "../validation/scalars";
import { type Rule, ranks, roles } from "./rule";

/** Ports, or in a preview the text that stands for ports which are not known yet. */
export type Ports = PortRange | string;

/** What one port forward is made of; sources are networks with prefix length. */
export interface PortForwardSpec {
  readonly protocols: readonly Transport[];
  readonly externalPorts: Ports;
  readonly target: string;
  readonly targetPorts: Ports;
  /** Only these clients; absent: all. */
  readonly sources?: readonly string[] | undefined;
  /** Not these clients. */
  readonly notSources?: readonly string[] | undefined;
  /** dom0's address on the internal network, where guests and dom0 itself shall reach the forward as well. */
  readonly hairpin?: Cidr | undefined;
  /** Whether dom0's own connections to the external address are redirected too. */
  readonly fromHost?: boolean | undefined;
  /** Ports of dom0's own management among the external ones, and who keeps reaching dom0 on them. */
  readonly management?: { readonly ports: readonly number[]; readonly sources: readonly string[] } | undefined;
  /** The external address is assigned by DHCP: any address of dom0 counts as it. */
  readonly isLeased?: boolean | undefined;
}

/**
 * The rules behind one forward. DNAT is bound to the external address: without `-d` it would, on a Linux bridge with
 * bridge-nf-call-iptables, also take bridged guests' connections to other hosts. FORWARD names the port after DNAT and
 * takes only connections that were DNATed, so a neighbour that routes through dom0 does not reach the guest directly.
 */
export function portForwardRules(spec: PortForwardSpec): Rule[] {
  return spec.protocols.flatMap((protocol) => [
    ...kept(spec, protocol),
    ...refused(spec, protocol),
    ...redirected(spec, protocol),
    accepted(spec, protocol, roles.externalInterface),
    ...(spec.hairpin === undefined ? [] : hairpin(spec, protocol, spec.hairpin)),
  ]);
}

/** How many rules that makes, without making them: a shifted range of many ports for many sources makes millions. */
export function countRules(spec: PortForwardSpec): number {
  const redirects = countTranslations(spec);
  const hairpinned =
    spec.hairpin === undefined ? 0 : redirects * (spec.fromHost === true ? 2 : 1) + (spec.fromHost === true ? 4 : 3);
  const each = (spec.notSources?.length ?? 0) + redirects * (spec.sources?.length ?? 1) + 1 + hairpinned;
  const keptByTcp = (spec.management?.ports.length ?? 0) * (spec.management?.sources.length ?? 0);
  return spec.protocols.length * each + (spec.protocols.includes("tcp") ? keptByTcp : 0);
}

/** Ahead of every DNAT, other tools' included: ACCEPT in the nat table ends the look for one. */
function kept(spec: PortForwardSpec, protocol: Transport): Rule[] {
  const { ports, sources } = spec.management ?? { ports: [], sources: [] };
  if (protocol !== "tcp") return [];
  return ports.flatMap((port) =>
    sources.map((source) => ({
      ...fromOutside(spec, protocol, String(port)),
      ...{ rank: ranks.management, source, target: { jump: "ACCEPT" } as const },
    })),
  );
}

/** RETURN, as no other forward of ours has the same port. */
function refused(spec: PortForwardSpec, protocol: Transport): Rule[] {
  const ports = portsText(spec.externalPorts);
  return (spec.notSources ?? []).map((source) => ({
    ...fromOutside(spec, protocol, ports),
    ...{ source, target: { jump: "RETURN" } as const },
  }));
}

function redirected(spec: PortForwardSpec, protocol: Transport): Rule[] {
  const sources = spec.sources === undefined ? [{}] : spec.sources.map((source) => ({ source }));
  return sources.flatMap((source) =>
    translations(spec).map(({ ports, to }) => ({
      ...source,
      ...fromOutside(spec, protocol, ports),
      target: { jump: "DNAT", to } as const,
    })),
  );
}

function fromOutside(spec: PortForwardSpec, protocol: Transport, ports: string): Omit<Rule, "target"> {
  return {
    chain: "prerouting",
    rank: ranks.portForward,
    ...(spec.isLeased === true ? { isForHost: true } : { destination: `${roles.externalAddress}/32` }),
    ...{ inInterface: roles.externalInterface, protocol, destinationPorts: ports },
  };
}

/**
 * A range that keeps its numbers is one rule without a port, which leaves the port alone. With another range in
 * `--to-destination` the kernel takes any port of it, so a shifted range is one rule a port.
 */
function translations({ externalPorts, target, targetPorts }: PortForwardSpec): Array<{ ports: string; to: string }> {
  const isText = typeof externalPorts === "string" || typeof targetPorts === "string";
  if (isText || sizeOf(externalPorts) === 1) {
    return [{ ports: portsText(externalPorts), to: `${target}:${portsText(targetPorts)}` }];
  }
  const shift = targetPorts.from - externalPorts.from;
  if (shift === 0) return [{ ports: portsText(externalPorts), to: target }];
  return Array.from({ length: sizeOf(externalPorts) }, (_, index) => externalPorts.from + index).map((port) => ({
    ports: String(port),
    to: `${target}:${port + shift}`,
  }));
}

function countTranslations({ externalPorts, targetPorts }: PortForwardSpec): number {
  const isText = typeof externalPorts === "string" || typeof targetPorts === "string";
  return isText || targetPorts.from === externalPorts.from ? 1 : sizeOf(externalPorts);
}

function accepted(spec: PortForwardSpec, protocol: Transport, inInterface: string): Rule {
  return {
    ...{ chain: "forward", rank: ranks.portForward },
    ...{ destination: `${spec.target}/32`, inInterface, outInterface: roles.bridge },
    ...{ protocol, destinationPorts: portsText(spec.targetPorts), wasDnated: true },
    target: { jump: "ACCEPT" },
  };
}

/**
 * From the network itself and from dom0. Without SNAT the target would answer its neighbour directly, past the
 * translation. These rules name the address itself even where it is leased: the gateway's address is dom0's as well.
 */
function hairpin(spec: PortForwardSpec, protocol: Transport, own: Cidr): Rule[] {
  const destination = `${roles.externalAddress}/32`;
  const rank = ranks.portForward;
  const ports = portsText(spec.targetPorts);
  const inside = { inInterface: roles.bridge, outInterface: roles.bridge };
  const accept = { jump: "ACCEPT" } as const;
  const redirect = (chain: "prerouting" | "output"): Rule[] =>
    translations(spec).map(({ ports: destinationPorts, to }) => ({
      ...{ chain, rank, destination, ...(chain === "prerouting" ? { inInterface: roles.bridge } : {}) },
      ...{ protocol, destinationPorts, target: { jump: "DNAT", to } },
    }));
  return [
    ...redirect("prerouting"),
    ...(spec.fromHost === true ? redirect("output") : []),
    accepted(spec, protocol, roles.bridge),
    {
      ...{ chain: "forward", rank, source: `${spec.target}/32`, ...inside, protocol },
      ...{ sourcePorts: ports, state: "ESTABLISHED", wasDnated: true, target: accept },
    },
    ...(spec.fromHost === true ? [answersToHost(spec, protocol)] : []),
    {
      ...{ chain: "postrouting", rank, source: subnetOf(own), destination: `${spec.target}/32` },
      ...{ outInterface: roles.bridge, protocol, destinationPorts: ports, wasDnated: true },
      target: { jump: "SNAT", to: own.address },
    },
  ];
}

/** dom0 asks its external address in the name of that very address; other replies the forwarding lets in. */
function answersToHost(spec: PortForwardSpec, protocol: Transport): Rule {
  return {
    ...{ chain: "input", rank: ranks.established, source: `${spec.target}/32`, inInterface: roles.bridge, protocol },
    ...{ state: "ESTABLISHED", originSource: roles.externalAddress, target: { jump: "ACCEPT" } },
  };
}

/** As iptables writes ports: `80`, or `8000:8010`. */
function portsText(ports: Ports): string {
  return typeof ports === "string" ? ports : renderPortRange(ports).replace("-", ":");
}
