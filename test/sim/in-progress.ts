import { randomUUID } from "node:crypto";
import { XapiFailure } from "./errors.ts";
import { stringMap, type World } from "./world.ts";

type Busy = readonly [className: "VM" | "VIF", ref: string];

/** Shows an operation on an object while `work` runs. */
export async function showing<T>(world: World, [className, ref]: Busy, operation: string, work: () => Promise<T>) {
  world.db.update(className, ref, { current_operations: { [`OpaqueRef:${randomUUID()}`]: operation } });
  try {
    return await work();
  } finally {
    if (world.db.has(className, ref)) world.db.update(className, ref, { current_operations: {} });
  }
}

/** How long an operation waits for those that run on these objects: xapi tries again for two hours, then says which. */
export function patienceWith(world: World, ...objects: readonly Busy[]) {
  return { ms: world.patienceMs, giveUp: () => inProgress(world, objects) };
}

function inProgress(world: World, objects: readonly Busy[]): XapiFailure {
  for (const [className, ref] of objects) {
    const [current] = Object.entries(stringMap(world.db.row(className, ref)["current_operations"]));
    if (current === undefined) continue;
    const [task, operation] = current;
    const named = world.profile.namesTaskInProgress ? [task] : [];
    return new XapiFailure("OTHER_OPERATION_IN_PROGRESS", [className, ref, operation, ...named]);
  }
  return new XapiFailure("OTHER_OPERATION_IN_PROGRESS", [...(objects[0] ?? [])]);
}
