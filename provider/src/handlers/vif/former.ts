import type { HostContext } from "../../hosts/context";
import type { PoolView } from "../../hosts/pool-view";
import type { VifRecord } from "../../xapi/vifs";
import * as vifs from "../../xapi/vifs";
import { type Former, forget, remember, renderFormer, withKeys } from "../former";
import { formerKey, ownerKey, unmarked } from "../marks";
import { equal } from "../props";
import { notDone } from "../seen";
import { type DeclaredVif, differingSettings, type VifValues, valuesOf } from "./fields";
import { warnOfGivingBack } from "./old-host";
import { setPlugged } from "./plug";
import { settle } from "./remake";

/** Marks a VIF that was there, and writes its former values, in one call before anything is changed. */
export async function takeVif(
  host: HostContext,
  view: PoolView,
  vif: VifRecord,
  declared: DeclaredVif,
  marks: Readonly<Record<string, string>>,
): Promise<void> {
  const now = { values: { ...valuesOf(vif, view) }, otherConfig: vif.other_config };
  const former = remember({ owner: marks[ownerKey] ?? "", values: {}, otherConfig: {} }, now, declared);
  // A record that is there already is older than any change, so it is kept.
  const kept = { [formerKey]: renderFormer(former), ...vif.other_config, ...marks };
  await vifs.setOtherConfig(host.xapi, vif.ref, kept);
  host.poolChanged();
}

/** The record while settings are being put back: keys of `other_config` go back in the call that writes it. */
export function formerMeanwhile(former: Former, declared: DeclaredVif): Former {
  return { ...former, otherConfig: forget(former, declared).otherConfig };
}

/** Puts a VIF back as it was before it was adopted or taken over, and takes our marks off last. */
export async function giveBack(host: HostContext, taken: VifRecord, former: Former): Promise<void> {
  const values: Partial<VifValues> = former.values;
  const view = await host.poolView();
  await warnOfGivingBack(host, view, taken, values.network);
  const vif = await settle(host, view, taken, values);
  const keys = withKeys(vif.other_config, former.otherConfig);
  // The host looks at these keys when it plugs.
  const isToPlug = values.currently_attached === true && !valuesOf(vif, view).currently_attached;
  if (isToPlug && !equal(keys, vif.other_config)) await vifs.setOtherConfig(host.xapi, vif.ref, keys);
  if (values.currently_attached !== undefined) await setPlugged(host, view, vif, values.currently_attached);
  await assertBack(host, view, vif, values);
  await vifs.setOtherConfig(host.xapi, vif.ref, withKeys(keys, unmarked));
  host.poolChanged();
}

/** The record of former values goes with the marks, so first they have to be there. Plugging was looked at; it waits for the VM. */
async function assertBack(
  host: HostContext,
  view: PoolView,
  vif: VifRecord,
  former: Partial<VifValues>,
): Promise<void> {
  const { currently_attached: _attached, ...values } = former;
  const now = valuesOf(await vifs.getRecord(host.xapi, vif.ref), view);
  const [name] = differingSettings(values, now);
  if (name === undefined) return;
  const found = `${name} is ${JSON.stringify(now[name])}, expected ${JSON.stringify(former[name])}`;
  throw notDone(`VIF ${vif.uuid} was to get its former settings back`, found);
}
