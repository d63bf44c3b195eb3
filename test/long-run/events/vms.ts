import type { EventAction } from "../actions.ts";
import { keysOf, look, text, type XapiRecord } from "../looks/look.ts";
import type { Machine } from "../machine.ts";
import { type Model, vmReverted, vmStarted } from "../model.ts";
import type { VmName } from "../stacks/program.ts";

type VmEvent = Extract<EventAction, { do: "vm" }>;

/** Copies that this run makes, by their name labels. */
const CLONE = "a clone";
const SNAPSHOT = "a snapshot";

export async function vmEvent({ what, vm }: VmEvent, model: Model, machine: Machine): Promise<void> {
  const ref = await machine.vm(vm);
  switch (what) {
    case "start":
      await machine.xe("VM.start", ref, false, false);
      return vmStarted(model, vm);
    case "stop":
    case "clean shutdown":
      await machine.xe(what === "stop" ? "VM.hard_shutdown" : "VM.clean_shutdown", ref);
      model.running[vm] = false;
      return;
    case "reboot":
    case "clean reboot":
      await machine.xe(what === "reboot" ? "VM.hard_reboot" : "VM.clean_reboot", ref);
      return vmStarted(model, vm);
    case "clone":
      return machine.xe("VM.clone", ref, CLONE);
    case "snapshot":
      await machine.xe("VM.snapshot", ref, SNAPSHOT, []);
      return;
    case "copies removed":
      return removeCopies(machine);
    default:
      return revert(ref, vm, model, machine);
  }
}

/** Copies of VMs that somebody made. */
export async function removeCopies(machine: Machine): Promise<void> {
  const { vms } = await look(machine.host);
  for (const vm of vms.filter((one) => [CLONE, SNAPSHOT].includes(text(one, "name_label")))) {
    await machine.xe("VM.destroy", vm.ref);
  }
}

/** To a snapshot that is there, else to one that is made for it. The VIFs are made anew, as they were then. */
async function revert(ref: string, vm: VmName, model: Model, machine: Machine): Promise<void> {
  const { vms, vifs } = await look(machine.host);
  const snapshots = vms.filter((one) => one["snapshot_of"] === ref && one["is_a_snapshot"] === true);
  const old = snapshots.find((one) => isOfToday(one, vifs, machine));
  const snapshot = old?.ref ?? (await machine.xe<string>("VM.snapshot", ref, SNAPSHOT, []));
  await machine.xe("VM.revert", snapshot);
  if (old === undefined) await machine.xe("VM.destroy", snapshot);
  vmReverted(model, vm);
}

/** Whoever goes back to VIFs of resources that were deleted since has them for good: nobody declares them any more. */
function isOfToday(snapshot: XapiRecord, vifs: readonly XapiRecord[], machine: Machine): boolean {
  const resources = [machine.stacks.one, machine.stacks.two].flatMap(({ state }) => state.resources);
  const known = new Set(resources.map(({ outputs }) => outputs["incarnation"]));
  const marks = vifs.filter((vif) => text(vif, "VM") === snapshot.ref).map((vif) => keysOf(vif)["xennet:incarnation"]);
  return marks.every((mark) => mark === undefined || known.has(mark));
}
