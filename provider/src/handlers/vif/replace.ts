import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import { type PoolView, vmOfVif } from "../../hosts/pool-view";
import type { VifRecord } from "../../xapi/vifs";
import type { VmRecord } from "../../xapi/vms";
import { replacedKey } from "../marks";
import { isReplacedVif } from "../record-shapes";
import { notDone } from "../seen";
import { applySettings } from "./apply";
import { setPlugged } from "./plug";
import { type FoundRecord, removeVmRecord, writeVmRecord } from "./vm-records";
import {
  destroyVif,
  isCopy,
  makeAgain,
  pendingRecord,
  recordOf,
  requireNetwork,
  unreadable,
  type WholeVif,
} from "./whole-vif";

/** Records a VIF on its VM, then destroys it. */
export async function removeForReplacement(
  host: HostContext,
  view: PoolView,
  vm: VmRecord,
  there: VifRecord,
  owner: string,
): Promise<WholeVif> {
  // After an interrupted attempt the VIF may be unplugged by us already, so the first record stays.
  const pending = pendingReplacement(view, owner)?.record;
  const record: WholeVif = pending?.uuid === there.uuid ? pending : recordOf(view, vm, there, owner);
  await writeVmRecord(host, vm, "replaced", record);
  await destroyVif(host, view, there);
  return record;
}

/** The record of a replacement that was interrupted. */
export function pendingReplacement(view: PoolView, owner: string): FoundRecord<WholeVif> | undefined {
  return pendingRecord(view, "replaced", owner);
}

/** The record that a VIF of ours carries of the one it replaced on its VM. */
export function replacedBy(view: PoolView, vif: VifRecord): WholeVif | undefined {
  const text = vif.other_config[replacedKey];
  if (text === undefined) return undefined;
  try {
    const record: unknown = JSON.parse(text);
    if (!isReplacedVif(record)) throw new Error("it has another form");
    const vm = vmOfVif(view, vif);
    return isCopy(record as WholeVif, vm) ? undefined : (record as WholeVif);
  } catch (cause) {
    throw unreadable("replaced", { what: "vif", uuid: vif.uuid, name: `VIF ${vif.uuid}` }, replacedKey, cause);
  }
}

/** Destroys a VIF of ours and puts back the one it had replaced. The record goes to the VM first, so a retry goes on. */
export async function putBackReplaced(
  host: HostContext,
  view: PoolView,
  ours: VifRecord,
  record: WholeVif,
  owner: string,
  incarnation: string,
): Promise<void> {
  const vm = vmOfVif(view, ours);
  if (vm === undefined) return destroyVif(host, view, ours);
  requireNetwork(view, vm, record, "replaced");
  const pending: WholeVif = { ...record, owner, vm: vm.uuid, givenBackBy: incarnation };
  await writeVmRecord(host, vm, "replaced", pending);
  await destroyVif(host, view, ours);
  await restoreReplaced(host, { vm, record: pending });
}

/** Makes the VIF of a record again, unless that has happened already, and removes the record. */
export async function restoreReplaced(host: HostContext, { vm, record }: FoundRecord<WholeVif>): Promise<void> {
  const ref = await makeAgain(host, vm, record, "replaced");
  host.poolChanged();
  const view = await host.poolView();
  const vif = view.vifs.find((candidate) => candidate.ref === ref);
  // Without it the record is all that is left of the VIF.
  if (vif === undefined)
    throw notDone(
      `VIF ${record.uuid} was to be put back as device ${record.device} of VM ${quoted(vm.name_label)}`,
      "it is not there",
    );
  await applySettings(host, view, vif, record.values);
  await setPlugged(host, view, vif, record.values.currently_attached);
  await removeVmRecord(host, [vm], "replaced", record.owner);
}
