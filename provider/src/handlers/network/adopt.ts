import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import * as networks from "../../xapi/networks";
import { type Former, forget, formerIn, remember, renderFormer, wanted, withKeys } from "../former";
import type { Props } from "../handler";
import { formerKey, ownerKey, unmarked } from "../marks";
import { equal } from "../props";
import { notDone } from "../seen";
import { refuseUnadoptable } from "./adoptable";
import { refuseForeign } from "./identity";
import { managedOf, presentOf } from "./managed";
import { isSame, writeDifferences } from "./sync";
import { refuseLockingWhilePlugged } from "./users";

/**
 * Brings a network that was there before to what is declared. Marks and former values go first, in one call; then the
 * fields; what is not declared any more gets its former value back, and is forgotten last. So it can end anywhere and be
 * run again.
 *
 * `kept` are the former values as the state has them, for a network whose record of them was removed by hand.
 */
export async function syncAdopted(
  host: HostContext,
  ref: string,
  inputs: Props,
  marks: Readonly<Record<string, string>>,
  kept?: Former,
): Promise<Former> {
  const owner = marks[ownerKey] ?? "";
  const network = await networks.getRecord(host.xapi, ref);
  await refuseUnadoptable(host, network, inputs);
  const managed = managedOf(inputs);
  const known = formerIn("network", network.uuid, network.other_config) ?? kept;
  const former = remember({ values: {}, otherConfig: {}, ...known, owner }, presentOf(network), managed);
  await writeMarks(host, network, { ...marks, [formerKey]: renderFormer(former) });
  const marked = await networks.getRecord(host.xapi, ref);
  refuseForeign(marked, owner);
  await writeDifferences(host, marked, wanted(former, managed));
  const rest = forget(former, managed);
  if (!equal(rest, former)) {
    const now = await networks.getRecord(host.xapi, ref);
    await writeMarks(host, now, { [formerKey]: renderFormer(rest) });
  }
  return rest;
}

/**
 * Restores every field, then in one call the keys, taking our marks off: until then it can be run again. Without former
 * values there is nothing to restore, but an adopted network is never destroyed.
 */
export async function giveBack(
  host: HostContext,
  network: networks.NetworkRecord,
  former: Former = { owner: "", values: {}, otherConfig: {} },
): Promise<void> {
  const mode = former.values["default_locking_mode"];
  if (mode !== undefined && mode !== network.default_locking_mode) await refuseLockingWhilePlugged(host, network);
  try {
    await writeDifferences(host, network, { values: former.values, otherConfig: {} });
    const now = await networks.getRecord(host.xapi, network.ref);
    refuseNotBack(now, former);
    const { other_config } = now;
    const restored = withKeys(other_config, { ...former.otherConfig, ...unmarked });
    await networks.replaceOtherConfig(host.xapi, network.ref, restored);
  } finally {
    host.poolChanged();
  }
}

/** The record of former values goes with the marks, so first they have to be there. */
function refuseNotBack(now: networks.NetworkRecord, { values }: Former): void {
  const fields = presentOf(now).values;
  const lost = Object.keys(values).find(
    (field) => fields[field] !== undefined && !isSame(values[field], fields[field]),
  );
  if (lost === undefined) return;
  const found = `${lost} is ${JSON.stringify(fields[lost])}, expected ${JSON.stringify(values[lost])}`;
  throw notDone(`network ${quoted(now.name_label)} (${now.uuid}) was to get its former settings back`, found);
}

async function writeMarks(
  host: HostContext,
  network: networks.NetworkRecord,
  marks: Readonly<Record<string, string>>,
): Promise<void> {
  const marked = withKeys(network.other_config, marks);
  if (equal(marked, network.other_config)) return;
  try {
    await networks.replaceOtherConfig(host.xapi, network.ref, marked);
  } finally {
    host.poolChanged();
  }
}
