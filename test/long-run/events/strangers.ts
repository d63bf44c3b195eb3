import type { EventAction } from "../actions.ts";
import { networkIn } from "../looks/declared.ts";
import { look, text } from "../looks/look.ts";
import type { Machine } from "../machine.ts";
import type { Model } from "../model.ts";
import type { VmName } from "../stacks/program.ts";

type Plug = Extract<EventAction, { do: "hot plug" | "hot unplug" }>;

/** The device that no stack declares. */
const STRANGER = "5";

/** Somebody else's VIF on a network of ours: the network cannot go while it is there. */
export async function hotPlug({ vm, stack, slot }: Plug, model: Model, machine: Machine): Promise<void> {
  const now = await look(machine.host);
  const network = networkIn(now, { stack, program: model.programs[stack] }, slot);
  const ref = await machine.vm(vm);
  const isTaken = now.vifs.some((vif) => text(vif, "VM") === ref && text(vif, "device") === STRANGER);
  if (network === undefined || isTaken) return;
  const vif = await machine.xe<string>("VIF.create", {
    ...{ device: STRANGER, network: network.ref, VM: ref, MAC: "", MTU: 1500, other_config: {} },
    ...{ qos_algorithm_type: "", qos_algorithm_params: {} },
  });
  if (model.running[vm]) await machine.xe("VIF.plug", vif);
}

/** Of one VM, or of all. */
export async function removeStrangers(machine: Machine, vm?: VmName): Promise<void> {
  const { vifs } = await look(machine.host);
  const ref = vm === undefined ? undefined : await machine.vm(vm);
  const strangers = vifs.filter((vif) => text(vif, "device") === STRANGER);
  for (const vif of strangers.filter((one) => ref === undefined || text(one, "VM") === ref)) {
    if (vif["currently_attached"] === true) await machine.xe("VIF.unplug", vif.ref);
    await machine.xe("VIF.destroy", vif.ref);
  }
}
