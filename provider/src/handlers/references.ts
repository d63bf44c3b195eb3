import { XennetError } from "../core/errors";
import { quoted } from "../core/foreign-text";
import type { HostContext } from "../hosts/context";
import { byReference, byUuid } from "../hosts/selection";
import type { Problem } from "../validation/problem";
import { isUnknown } from "../validation/unknown";
import type { NetworkRecord } from "../xapi/networks";
import type { VmRecord } from "../xapi/vms";
import { parseId } from "./identity";

/** UUID of the network an argument names: an id, or what {@link byReference} takes. */
export async function networkUuidOf(host: HostContext, text: string): Promise<string> {
  const id = parseId(text);
  if (id !== undefined) {
    const { poolUuid } = await host.identity();
    if (id.realm === poolUuid) return id.own;
    const reason =
      `expected a network of pool ${poolUuid}, which the host profile ${quoted(host.profile)} leads to, found the id ${quoted(text)} of a network of another pool. ` +
      "Name a network of this pool, or the other pool's profile as host";
    throw new XennetError("REFERENCE_UNKNOWN", reason, { property: "network" });
  }
  return (await networkOf(host, text)).uuid;
}

/** The network an argument names; an error listing the candidates when none or several fit. */
export async function networkOf(host: HostContext, text: string): Promise<NetworkRecord> {
  const { networks } = await host.poolView();
  const wanted = { property: "network", what: "network", text };
  if (parseId(text) === undefined) return byReference(wanted, networks);
  return byUuid({ ...wanted, text: await networkUuidOf(host, text) }, networks);
}

/** The VM an argument names; templates, snapshots and dom0 itself do not count. */
export async function vmOf(host: HostContext, text: string): Promise<VmRecord> {
  const { vms } = await host.poolView();
  try {
    return byReference({ property: "vm", what: "VM", text }, vms);
  } catch (error) {
    if (!(error instanceof XennetError) || error.code !== "REFERENCE_UNKNOWN") throw error;
    const reason = `${error.message}. Templates, snapshots and the control domains do not count`;
    throw new XennetError(error.code, reason, { property: "vm" });
  }
}

/** For checks: the network's UUID while it is known; a text that fits none or several becomes a failure. */
export async function knownNetworkUuid(
  host: HostContext,
  text: unknown,
  failures: Problem[],
): Promise<string | undefined> {
  if (typeof text !== "string" || isUnknown(text)) return undefined;
  return orFailure(failures, () => networkUuidOf(host, text));
}

/** For checks: looks a reference up; an error about a property becomes a failure of it. */
export async function orFailure<T>(failures: Problem[], look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof XennetError) || error.property === undefined) throw error;
    failures.push({ property: error.property, reason: `${error.message} (${error.code})` });
    return undefined;
  }
}
