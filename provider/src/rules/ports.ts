import type { Problem } from "../validation/problem";
import type { Protocol } from "../validation/scalars";

/** Ports on which dom0 itself is managed; a DNAT of them comes before INPUT and takes them away from dom0. */
const managementPorts: ReadonlyMap<number, string> = new Map([
  [22, "SSH, by which this provider and administrators reach dom0"],
  [443, "XAPI over HTTPS, by which this provider and every XenServer client reach the host"],
]);

/** Refuses a forward that would lock everybody out of the host. */
export function checkManagementPort(property: string, protocol: Protocol, port: number): Problem[] {
  const service = protocol === "tcp" ? managementPorts.get(port) : undefined;
  if (service === undefined) return [];
  const reason = `expected a port other than 22 and 443, found ${port}: it is ${service}; forwarding it would lock you out of the host. Choose another external port, e.g. ${port === 22 ? 2222 : 8443}`;
  return [{ property, reason }];
}

/** A sentence of warning for a forward that hides a service of dom0, or `undefined`. */
export function shadowedService(protocol: string, port: number): string | undefined {
  if (protocol !== "tcp" || port !== 80) return undefined;
  return "Port 80 of the host is forwarded: dom0's own page and plain-HTTP XAPI on port 80 can no longer be reached from outside. HTTPS on 443 is not affected.";
}
