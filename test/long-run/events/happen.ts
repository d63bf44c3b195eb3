import type { EventAction } from "../actions.ts";
import type { Machine } from "../machine.ts";
import type { Model } from "../model.ts";
import { bridgeEvent } from "./bridges.ts";
import { consoleEvent } from "./console.ts";
import { dom0Event } from "./dom0.ts";
import { hotPlug, removeStrangers } from "./strangers.ts";
import { vmEvent } from "./vms.ts";
import { xeEvent } from "./xe.ts";

/** Lets something happen; the model then says what it means. */
export async function happen(action: EventAction, model: Model, machine: Machine): Promise<void> {
  switch (action.do) {
    case "vm":
      return vmEvent(action, model, machine);
    case "hot plug":
      return hotPlug(action, model, machine);
    case "hot unplug":
      return removeStrangers(machine, action.vm);
    case "bridge":
      return bridgeEvent(action, model, machine);
    case "xe":
      return xeEvent(action, model, machine);
    case "console":
      return consoleEvent(action, model, machine);
    default:
      return dom0Event(action.what, model, machine);
  }
}
