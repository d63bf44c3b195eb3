import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import { type PoolView, vmOfVif } from "../../hosts/pool-view";
import { hasXapiCode } from "../../xapi/errors";
import type { VifRecord } from "../../xapi/vifs";
import * as vifs from "../../xapi/vifs";
import { notDone } from "../seen";
import { explaining, placeOf, refusal, subjectOf, type VifPlace } from "./failures";

/**
 * Plugs or unplugs a VIF, and returns whether anything was done. A VM that does not run plugs all its VIFs when it starts.
 * A paused one cannot be helped now, which fails; a suspended one gets a warning, as it may sleep for long.
 */
export async function setPlugged(host: HostContext, view: PoolView, vif: VifRecord, wanted: boolean): Promise<boolean> {
  const vm = vmOfVif(view, vif);
  if (vm === undefined || vm.power_state === "Halted" || vif.currently_attached === wanted) return false;
  const place = placeOf(vif, view);
  const what = wanted ? `plugged into network ${quoted(place.network)}` : "unplugged";
  const method = wanted ? "VIF.plug" : "VIF.unplug";
  if (vm.power_state === "Suspended") {
    host.warn(
      `Device ${vif.device} of VM ${quoted(vm.name_label)} is to be ${what}, but the VM is suspended; run \`pulumi up --refresh\` after it was resumed.`,
    );
    return false;
  }
  if (vm.power_state === "Paused") {
    throw refusal(method, ["VM_BAD_POWER_STATE", vm.ref, "running", "paused"], what, place);
  }
  try {
    await explaining(what, place, () => (wanted ? vifs.plug(host.xapi, vif.ref) : vifs.unplug(host.xapi, vif.ref)));
  } catch (error) {
    if (!hasXapiCode(error, wanted ? "DEVICE_ALREADY_ATTACHED" : "DEVICE_ALREADY_DETACHED")) throw error;
    return true;
  } finally {
    host.poolChanged();
  }
  await assertPlugged(host, vif, wanted, place);
  return true;
}

/** A VM that stops meanwhile takes its VIFs along. */
async function assertPlugged(host: HostContext, vif: VifRecord, wanted: boolean, place: VifPlace): Promise<void> {
  const now = await vifs.getRecord(host.xapi, vif.ref);
  if (now.currently_attached === wanted) return;
  const vm = vmOfVif(await host.poolView(), vif);
  if (vm?.power_state !== "Running") return;
  throw notDone(
    `${subjectOf(place)} was to be ${wanted ? "plugged" : "unplugged"}`,
    `it is ${wanted ? "not plugged" : "still plugged"}, and its VM runs`,
  );
}
