import { contains, parseCidr } from "../validation/ipv4";
import { type PortRange, renderPortRange } from "../validation/port-range";
import type { Problem } from "../validation/problem";
import { type Protocol, type Transport, transportsOf } from "../validation/scalars";

const XAPI_PORT = 443;

/** Ports on which dom0 itself is managed; a DNAT of them comes before INPUT and takes them away from dom0. */
const managementPorts: ReadonlyMap<number, string> = new Map([
  [22, "SSH, by which this provider and administrators reach dom0"],
  [XAPI_PORT, "XAPI over HTTPS, by which this provider and every XenServer client reach the host"],
]);

/** What keeps the host manageable while a management port goes to a guest. */
export interface ManagementWays {
  /** Whether the user has asked for it. */
  readonly allowed: boolean;
  /** Networks that keep reaching dom0 itself. */
  readonly sources: readonly string[];
  /** The setting that holds them, as messages name it. */
  readonly setting: string;
  /** Where this provider's connections come from, as dom0 sees it; `undefined` while that is not known. */
  readonly client: string | undefined;
  /** True when XAPI is reached through SSH, so that 443 is not needed. */
  readonly xapiThroughSsh: boolean;
}

/** What hosts of a pool need of each other beside XAPI: dom0's stock firewall lets it in (its RH-Firewall-1-INPUT). */
const poolServices: ReadonlyArray<{ transport: Transport; ports: PortRange; what: string }> = [
  { transport: "udp", ports: { from: 694, to: 694 }, what: "heartbeats of high availability" },
  { transport: "udp", ports: { from: 5404, to: 5405 }, what: "clustering for shared GFS2 storage" },
  { transport: "tcp", ports: { from: 21064, to: 21064 }, what: "locks of shared GFS2 storage" },
];

/** The ports of dom0's management among those that are forwarded. */
export function managementPortsIn(protocol: Protocol, ports: PortRange): number[] {
  if (!transportsOf(protocol).includes("tcp")) return [];
  return [...managementPorts.keys()].filter((port) => ports.from <= port && port <= ports.to);
}

/** Refuses a forward that would lock everybody out of the host. */
export function checkManagementPort(
  property: string,
  protocol: Protocol,
  ports: PortRange,
  ways: ManagementWays,
): Problem[] {
  const [port] = managementPortsIn(protocol, ports);
  if (port === undefined) return [];
  const danger = `it is ${managementPorts.get(port)}; forwarding it would lock you out of the host`;
  const found = `found ${renderPortRange(ports)}: ${ports.from === ports.to ? "" : `port ${port} is among them, and `}${danger}`;
  if (!ways.allowed) {
    const other = `Choose another external port, e.g. ${port === 22 ? 2222 : 8443}, or set allowManagementPort: true with ${ways.setting}${port === 22 ? "" : ' or xennet:xapiVia "ssh"'}`;
    return [{ property, reason: `expected a port other than 22 and 443, ${found}. ${other}` }];
  }
  const needed = managementPortsIn(protocol, ports).filter((one) => one !== XAPI_PORT || !ways.xapiThroughSsh);
  if (needed.length === 0 || isKept(ways)) return [];
  const what =
    ways.sources.length === 0
      ? `networks in ${ways.setting} that keep reaching dom0 itself`
      : `your own address ${ways.client} among the networks in ${ways.setting} (${ways.sources.join(", ")})`;
  const other = needed.includes(22) ? "" : '. Or reach XAPI through SSH (xennet:xapiVia "ssh")';
  return [{ property, reason: `expected ${what}, ${found}${other}` }];
}

/** The other hosts of a pool reach XAPI by its port as well, whatever way this provider takes. */
export function checkPoolPort(
  property: string,
  ports: PortRange,
  pool: { readonly hosts: number; readonly others: readonly string[]; readonly sources: readonly string[] },
): Problem[] {
  if (pool.others.every((address) => isAmong(pool.sources, address))) return [];
  const found = `found ${renderPortRange(ports)}: by it the pool's ${pool.hosts} hosts reach each other's XAPI; forwarding it would take this host out of the pool`;
  return [
    {
      property,
      reason: `expected a port other than 443 on a host of a pool, ${found}. Choose another external port, e.g. 8443, or add the other hosts to xennet:managementSources (${pool.others.join(", ")})`,
    },
  ];
}

/** Refuses to take from a pool's host what it hears other hosts by: without heartbeats a host with HA restarts itself. */
export function checkPoolServices(
  property: string,
  protocol: Protocol,
  ports: PortRange,
  pool: { readonly hosts: number; readonly allowed: boolean },
): Problem[] {
  if (pool.hosts < 2 || pool.allowed) return [];
  const taken = poolServices.find(
    (service) =>
      transportsOf(protocol).includes(service.transport) &&
      service.ports.from <= ports.to &&
      ports.from <= service.ports.to,
  );
  if (taken === undefined) return [];
  const reason = `expected a port that the pool's ${pool.hosts} hosts do not need of each other, found ${renderPortRange(ports)}: ${taken.transport} ${renderPortRange(taken.ports)} is for ${taken.what}. Choose another external port, or set allowManagementPort: true if the pool uses neither HA nor GFS2`;
  return [{ property, reason }];
}

/** A sentence of warning for a forward that takes XAPI's port away from dom0. */
export const xapiPortForwarded =
  "Port 443 of the host is forwarded: XenCenter, Xen Orchestra, xe from outside and downloads from dom0 reach the guest there instead of XAPI. This provider goes through SSH and is not affected.";

function isKept({ sources, client }: ManagementWays): boolean {
  if (sources.length === 0) return false;
  return client === undefined || isAmong(sources, client);
}

function isAmong(sources: readonly string[], address: string): boolean {
  const networks = sources.map(parseCidr).filter((network) => network !== undefined);
  return networks.some((network) => contains(network, address));
}

/** A sentence of warning for a forward that hides a service of dom0, or `undefined`. */
export function shadowedService(protocol: Protocol, ports: PortRange): string | undefined {
  if (!transportsOf(protocol).includes("tcp") || ports.from > 80 || ports.to < 80) return undefined;
  return "Port 80 of the host is forwarded: dom0's own page and plain-HTTP XAPI on port 80 can no longer be reached from outside. HTTPS on 443 is not affected.";
}
