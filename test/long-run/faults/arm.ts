import { setTimeout as delay } from "node:timers/promises";
import type { Fault, RunAction } from "../actions.ts";
import type { Model } from "../model.ts";
import { ambushes } from "./ambushes.ts";
import { setClock } from "./clock.ts";
import { type Disarm, type Scene, vmOf } from "./scene.ts";
import { strikes } from "./strikes.ts";

/** Makes a fault ready before its run begins. */
export async function arm(scene: Scene): Promise<Disarm> {
  const { by, provider } = scene;
  const ambush = await ambushes[by.fault]?.(scene);
  const act = strikes[by.fault];
  let calls = 0;
  let strike: Promise<boolean> | undefined;
  provider.onCall = () => {
    calls += 1;
    if (calls !== by.call + 1 || act === undefined) return;
    strike = delay(by.ms).then(async () => (await act(scene)) !== false);
    // One that fails is told when the run has ended: nobody waits for it before.
    strike.catch(() => {});
  };
  return async () => {
    provider.onCall = undefined;
    const struck = await strike;
    const came = await ambush?.();
    setClock(0);
    scene.machine.host.simulator.faults.clear();
    return came ?? struck ?? false;
  };
}

/** Faults that move more than the stacks do. */
export const concernsOthers = ({ fault }: Fault): boolean =>
  ["vm starts", "vm stops", "vm restarts", "power cut", "rules flushed"].includes(fault);

/** A VM that starts in the middle of a run plugs what the run has unplugged already. */
export function mayUndo({ programs }: Model, { stack }: RunAction, by: Fault): boolean {
  if (by.fault !== "vm starts" && by.fault !== "vm restarts") return false;
  return programs[stack].vifs.some(({ vm, plugged }) => vm === vmOf(by) && !plugged);
}
