import { XennetError } from "../core/errors";
import type { HostContext } from "../hosts/context";
import type { Problem } from "../validation/problem";
import { isUnknown } from "../validation/unknown";
import type { NetworkRecord } from "../xapi/networks";
import type { VmRecord } from "../xapi/vms";
import { ownPartOf, parseId } from "./identity";

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** UUID of the network an argument names: an id, a UUID, or a name label that exactly one network has. */
export async function networkUuidOf(host: HostContext, text: string): Promise<string> {
  if (parseId(text) !== undefined) {
    return ownPartOf(text, (await host.identity()).poolUuid, "pool", host.profile);
  }
  return (await networkOf(host, text)).uuid;
}

/** The network an argument names; an error listing the candidates when none or several have the name. */
export async function networkOf(host: HostContext, text: string): Promise<NetworkRecord> {
  const { networks } = await host.poolView();
  const isId = parseId(text) !== undefined;
  const uuid = isId ? await networkUuidOf(host, text) : uuidForm.test(text) ? text.toLowerCase() : undefined;
  const found = networks.filter((network) =>
    uuid === undefined ? network.name_label === text : network.uuid === uuid,
  );
  return theOnly("network", text, found, networks);
}

/** The VM an argument names, by UUID or name label; templates, snapshots and dom0 itself do not count. */
export async function vmOf(host: HostContext, text: string): Promise<VmRecord> {
  const { vms } = await host.poolView();
  const found = vms.filter((vm) => (uuidForm.test(text) ? vm.uuid === text.toLowerCase() : vm.name_label === text));
  return theOnly("vm", text, found, vms);
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

interface Named {
  readonly uuid: string;
  readonly name_label: string;
}

function theOnly<T extends Named>(property: string, wanted: string, found: readonly T[], all: readonly T[]): T {
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const what = property === "vm" ? "VM" : "network";
  if (found.length === 0) {
    const reason = `expected the UUID or name label of a ${what}, found no ${what} for "${wanted}". The pool has: ${listed(all)}`;
    throw new XennetError("REFERENCE_UNKNOWN", reason, { property });
  }
  const reason = `expected one ${what}, found ${found.length} named "${wanted}": ${listed(found)}. Give the UUID instead`;
  throw new XennetError("REFERENCE_AMBIGUOUS", reason, { property });
}

function listed(candidates: readonly Named[]): string {
  if (candidates.length === 0) return "none";
  const most = 20;
  const shown = [...candidates]
    .sort((a, b) => a.name_label.localeCompare(b.name_label))
    .slice(0, most)
    .map(({ name_label, uuid }) => `"${name_label}" (${uuid})`);
  const more = candidates.length > most ? `, and ${candidates.length - most} more` : "";
  return shown.join(", ") + more;
}
