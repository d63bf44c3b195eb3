import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import { type PoolView, vmOfVif } from "../../hosts/pool-view";
import { XapiError } from "../../xapi/errors";
import type { VifRecord } from "../../xapi/vifs";
import * as vifs from "../../xapi/vifs";
import type { VmRecord } from "../../xapi/vms";
import { ownerKey } from "../marks";
import { applySettings, networkToMoveTo, type OnLack } from "./apply";
import { placeOf, refusal } from "./failures";
import type { VifValues } from "./fields";
import { hasToBeMadeAnew } from "./old-host";
import { setPlugged } from "./plug";
import { removeVmRecord, writeVmRecord } from "./vm-records";
import { destroyVif, makeAgain, pendingRecord, recordOf, type WholeVif } from "./whole-vif";

/**
 * Brings a VIF's settings to what is wanted, the network among them. Where the host cannot move VIFs, before 7.1, the VIF is
 * made anew with the same device, MAC address, settings and keys of `other_config`: so go on with the one that is returned.
 */
export async function settle(
  host: HostContext,
  view: PoolView,
  vif: VifRecord,
  wanted: Partial<VifValues>,
  onLack?: OnLack,
): Promise<VifRecord> {
  const vm = vmOfVif(view, vif);
  if (vm === undefined || !(await hasToBeMadeAnew(host, view, vif, wanted.network))) {
    await applySettings(host, view, vif, wanted, onLack);
    return vif;
  }
  const { record, ref } = await remake(host, view, vm, vif, wanted);
  const made = await vifs.getRecord(host.xapi, ref);
  // An address is the only setting that cannot come with the VIF's creation.
  await applySettings(host, view, made, record.values, (_family, error) => {
    host.warn(`The address setting of VIF ${record.uuid} was not carried over to VIF ${made.uuid}: ${error.message}`);
  });
  await applySettings(host, view, made, wanted, onLack);
  return plugAndForget(host, vm, made, record, wanted.currently_attached !== undefined);
}

/**
 * Goes on with a remaking that was cut. `isPluggedLater` says that the caller sees to the plugging; otherwise the VIF is
 * plugged if the one before was.
 */
export async function finishRemaking(host: HostContext, owners: readonly string[], isPluggedLater: boolean) {
  for (const owner of new Set(owners)) {
    const view = await host.poolView();
    const pending = pendingRecord(view, "moved", owner);
    if (pending === undefined) continue;
    const { vm, record } = pending;
    const ref = await makeAgain(host, vm, record, "moved");
    await plugAndForget(host, vm, await vifs.getRecord(host.xapi, ref), record, isPluggedLater);
  }
}

/** True when a VIF of one of these owners was to be made anew, and nobody has ended it yet. */
export function isBeingRemade(view: PoolView, owners: readonly string[]): boolean {
  return owners.some((owner) => pendingRecord(view, "moved", owner) !== undefined);
}

interface Remade {
  readonly ref: string;
  readonly record: WholeVif;
}

/** Everything of the VIF is on its VM before it goes, so that a cut run can be gone on with. */
async function remake(
  host: HostContext,
  view: PoolView,
  vm: VmRecord,
  stale: VifRecord,
  wanted: Partial<VifValues>,
): Promise<Remade> {
  const network = networkToMoveTo(view, stale, wanted);
  const place = { ...placeOf(stale, view), network: network.name_label };
  if (vm.power_state === "Suspended") {
    // Its image has the VIF that is there.
    const reason = ["VM_BAD_POWER_STATE", vm.ref, "running", "suspended"];
    throw refusal("VIF.unplug", reason, `moved to network ${quoted(network.name_label)}`, place);
  }
  // Marks and keys may have been written since.
  const vif = await vifs.getRecord(host.xapi, stale.ref);
  const former = recordOf(view, vm, vif, vif.other_config[ownerKey] ?? "");
  const record: WholeVif = { ...former, values: { ...former.values, network: network.uuid } };
  await writeVmRecord(host, vm, "moved", record);
  await letGo(host, view, vm, vif, record);
  try {
    return { record, ref: await makeAgain(host, vm, record, "moved") };
  } catch (error) {
    // XAPI refused the other network, so the VIF goes back to where it was.
    if (error instanceof XapiError && former.values.network !== "") {
      const back = await makeAgain(host, vm, former, "moved");
      await plugAndForget(host, vm, await vifs.getRecord(host.xapi, back), former, false);
    }
    throw error;
  }
}

async function letGo(host: HostContext, view: PoolView, vm: VmRecord, vif: VifRecord, record: WholeVif) {
  try {
    const wasPlugged = await setPlugged(host, view, vif, false);
    await destroyVif(host, view, wasPlugged ? { ...vif, currently_attached: false } : vif);
  } catch (error) {
    // A guest that does not let go of its VIF keeps it.
    if (error instanceof XapiError) await removeVmRecord(host, [vm], "moved", record.owner);
    throw error;
  }
}

async function plugAndForget(
  host: HostContext,
  vm: VmRecord,
  vif: VifRecord,
  record: WholeVif,
  isPluggedLater: boolean,
): Promise<VifRecord> {
  if (!isPluggedLater) await setPlugged(host, await host.poolView(), vif, record.values.currently_attached);
  await removeVmRecord(host, [vm], "moved", record.owner);
  return vifs.getRecord(host.xapi, vif.ref);
}
