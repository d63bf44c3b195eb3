import { setTimeout as pause } from "node:timers/promises";
import { quoted } from "../../core/foreign-text";
import { whileWaiting } from "../../core/waiting";
import type { HostContext } from "../../hosts/context";
import { type PoolView, vmOfVif } from "../../hosts/pool-view";
import { hasXapiCode } from "../../xapi/errors";
import type { VifRecord } from "../../xapi/vifs";
import * as vifs from "../../xapi/vifs";
import type { VmRecord } from "../../xapi/vms";
import * as vms from "../../xapi/vms";
import { notDone } from "../seen";
import { explaining, placeOf, refusal, subjectOf, type VifPlace } from "./failures";

/**
 * Plugs or unplugs a VIF, and returns whether anything was done. A VM that does not run plugs all its VIFs when it starts.
 * A paused one cannot be helped now, which fails; a suspended one gets a warning, as it may sleep for long.
 */
export async function setPlugged(host: HostContext, view: PoolView, vif: VifRecord, wanted: boolean): Promise<boolean> {
  const known = vmOfVif(view, vif);
  if (known?.power_state !== "Halted") return plugOn(host, view, known, vif, wanted);
  // A start that began before the VIF was made leaves it out, and one that has ended since does not show in the view.
  const vm = await onceStarted(host, known, vif);
  if (vm.power_state === "Halted") return false;
  const now = await vifs.getRecord(host.xapi, vif.ref);
  host.poolChanged();
  const isDone = await plugOn(host, view, vm, now, wanted);
  return isDone || now.currently_attached !== vif.currently_attached;
}

async function plugOn(
  host: HostContext,
  view: PoolView,
  vm: VmRecord | undefined,
  vif: VifRecord,
  wanted: boolean,
): Promise<boolean> {
  if (vm === undefined || vif.currently_attached === wanted) return false;
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

/** XAPI's words for what leaves a halted VM running. */
const starts = new Set(["start", "start_on", "resume", "resume_on", "clean_reboot", "hard_reboot"]);

/** Longest that a start is waited for, in milliseconds: on a busy host it takes a minute or two. */
const longestStartMs = 300_000;

/** The VM as it is now; one that is being started, when that has ended. */
async function onceStarted(host: HostContext, { ref, name_label }: VmRecord, vif: VifRecord): Promise<VmRecord> {
  const until = performance.now() + longestStartMs;
  const look = async (): Promise<VmRecord> => {
    for (;;) {
      const vm = await vms.getRecord(host.xapi, ref);
      const operation = Object.values(vm.current_operations).find((current) => starts.has(current));
      if (operation === undefined) return vm;
      if (performance.now() > until) {
        const place = placeOf(vif, await host.poolView());
        throw refusal("VIF.plug", ["OTHER_OPERATION_IN_PROGRESS", "VM", ref, operation], "plugged", place);
      }
      await pause(500);
    }
  };
  return whileWaiting(`VM ${quoted(name_label)} to start`, look());
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
