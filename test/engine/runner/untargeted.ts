import { dependencyUrns, type ResourceState } from "./resource-state.ts";
import type { PlannedStep } from "./steps.ts";

/**
 * Keeps a resource that is no target as it is recorded, under its recorded URN. What it depends on and the program no
 * longer declares is kept before it, so that the state stays in order.
 */
export function untargetedSteps(
  old: ResourceState,
  recorded: ReadonlyMap<string, ResourceState>,
  isSettled: (urn: string) => boolean,
): PlannedStep[] {
  const kept = new Set<string>();
  const keep = (resource: ResourceState): PlannedStep[] => {
    kept.add(resource.urn);
    const needed = [resource.parent, ...dependencyUrns(resource)].filter((urn) => urn !== "");
    const before: PlannedStep[] = [];
    for (const urn of needed) {
      if (kept.has(urn) || isSettled(urn)) continue;
      const dependency = recorded.get(urn);
      if (dependency === undefined) throw new Error(`${urn}, which untargeted ${resource.urn} needs, is not recorded.`);
      before.push(...keep(dependency));
    }
    return [...before, keepAsItIs(resource)];
  };
  return keep(old);
}

/** The step that leaves a recorded resource alone. */
export function keepAsItIs(old: ResourceState): PlannedStep {
  return { op: "same", old, new: { ...old } };
}
