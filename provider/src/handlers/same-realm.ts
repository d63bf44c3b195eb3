import type { HostContext } from "../hosts/context";
import { ownPartOf } from "./identity";
import { preflight } from "./preflight";

/**
 * Refuses an id of another pool or host than the profile reaches now: an up without refresh asks for nothing but the diff,
 * and would call everything the same. False when the host does not answer.
 */
export async function assertSameRealm(host: HostContext, id: string, what: "pool" | "host"): Promise<boolean> {
  if (!(await preflight(host, what === "host" ? "dom0" : "xapi")).reachable) return false;
  const realm = what === "host" ? await host.hostUuid() : (await host.identity()).poolUuid;
  ownPartOf(id, realm, what, host.profile);
  return true;
}
