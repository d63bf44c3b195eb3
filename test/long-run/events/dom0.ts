import type { EventAction } from "../actions.ts";
import type { Machine } from "../machine.ts";
import { allHalted, type Model } from "../model.ts";
import type { VmName } from "../stacks/program.ts";
import { THEIR_RULE } from "./console.ts";
import { removeStrangers } from "./strangers.ts";
import { removeCopies, vmEvent } from "./vms.ts";

type Dom0Event = Extract<EventAction, { do: "dom0" }>;

export async function dom0Event(what: Dom0Event["what"], model: Model, machine: Machine): Promise<void> {
  if (what === "toolstack restart") return machine.host.simulator.restart();
  await (what === "reboot" ? machine.host.rebootDom0() : machine.host.powerCut());
  allHalted(model);
}

/** Everything that happened beside the stacks is undone: nobody's VMs run, nobody's things are left. */
export async function undoEvents(model: Model, machine: Machine): Promise<void> {
  for (const vm of Object.keys(model.running) as VmName[]) {
    if (model.running[vm]) await vmEvent({ do: "vm", what: "stop", vm }, model, machine);
  }
  await removeStrangers(machine);
  await removeCopies(machine);
  await machine.console(
    `[ ! -x /usr/local/sbin/xennet ] || xennet on; /etc/init.d/iptables restart; iptables -D ${THEIR_RULE} 2>/dev/null`,
  );
  model.off = false;
}
