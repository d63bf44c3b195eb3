import type { Problem } from "../validation/problem";
import type { Protocol } from "../validation/scalars";

const XAPI_PORT = 443;

/** Ports on which dom0 itself is managed; a DNAT of them comes before INPUT and takes them away from dom0. */
const managementPorts: ReadonlyMap<number, string> = new Map([
  [22, "SSH, by which this provider and administrators reach dom0"],
  [XAPI_PORT, "XAPI over HTTPS, by which this provider and every XenServer client reach the host"],
]);

/** True for the port at which XAPI is reached from outside. */
export function isXapiPort(protocol: unknown, port: unknown): boolean {
  return protocol === "tcp" && port === XAPI_PORT;
}

/** Refuses a forward that would lock everybody out of the host. XAPI's port is free when XAPI is reached through SSH. */
export function checkManagementPort(
  property: string,
  protocol: Protocol,
  port: number,
  { xapiThroughSsh }: { readonly xapiThroughSsh: boolean },
): Problem[] {
  const service = protocol === "tcp" ? managementPorts.get(port) : undefined;
  if (service === undefined || (xapiThroughSsh && isXapiPort(protocol, port))) return [];
  const ports = xapiThroughSsh ? "22" : "22 and 443";
  const remedy =
    port === 22
      ? "Choose another external port, e.g. 2222"
      : 'Choose another external port, e.g. 8443, or reach XAPI through SSH (xennet:xapiVia "ssh")';
  const reason = `expected a port other than ${ports}, found ${port}: it is ${service}; forwarding it would lock you out of the host. ${remedy}`;
  return [{ property, reason }];
}

/** The other hosts of a pool reach XAPI by its port as well, whatever way this provider takes. */
export function checkPoolPort(property: string, protocol: unknown, port: unknown, hosts: number): Problem[] {
  if (hosts < 2 || !isXapiPort(protocol, port)) return [];
  const reason = `expected a port other than 443 on a host of a pool, found ${port}: by it the pool's ${hosts} hosts reach each other's XAPI; forwarding it would take this host out of the pool. Choose another external port, e.g. 8443`;
  return [{ property, reason }];
}

/** A sentence of warning for a forward that takes XAPI's port away from dom0. */
export const xapiPortForwarded =
  "Port 443 of the host is forwarded: XenCenter, Xen Orchestra, xe from outside and downloads from dom0 reach the guest there instead of XAPI. This provider goes through SSH and is not affected.";

/** A sentence of warning for a forward that hides a service of dom0, or `undefined`. */
export function shadowedService(protocol: string, port: number): string | undefined {
  if (protocol !== "tcp" || port !== 80) return undefined;
  return "Port 80 of the host is forwarded: dom0's own page and plain-HTTP XAPI on port 80 can no longer be reached from outside. HTTPS on 443 is not affected.";
}
