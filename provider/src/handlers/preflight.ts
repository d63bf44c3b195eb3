import { XennetError } from "../core/errors";
import { isSilence } from "../core/silence";
import type { HostContext } from "../hosts/context";
import type { Problem } from "../validation/problem";

/** Hosts that did not answer a check of this process; what writes to them tries anew. */
const silentHosts = new WeakSet<HostContext>();

export interface Preflight {
  /** False when the host does not answer: nothing that depends on it can be checked now. */
  readonly reachable: boolean;
  readonly problems: readonly Problem[];
}

/**
 * Tries what the operation will need, so that a wrong password, certificate or host key shows in the preview. A host that
 * does not answer is a warning only: the preview may be made far away from it, and `up` fails on its own.
 */
export async function preflight(host: HostContext, needs: "xapi" | "dom0"): Promise<Preflight> {
  // A host that swallows packets costs the whole time-out; it is not asked again by every resource of the preview.
  if (silentHosts.has(host)) return { reachable: false, problems: [] };
  try {
    await (needs === "dom0" ? host.hostUuid() : host.identity());
    if (needs === "dom0") await host.assertSafeWindow();
    return { reachable: true, problems: [] };
  } catch (error) {
    if (!(error instanceof XennetError)) throw error;
    if (isSilence(error)) {
      silentHosts.add(host);
      host.warn(`${error.message} (${error.code}) What depends on the host was not checked.`);
      return { reachable: false, problems: [] };
    }
    const reason = `${error.message} (${error.code})`;
    return { reachable: false, problems: [{ property: error.property ?? "host", reason }] };
  }
}
