import { dependencyUrns, type ResourceState } from "./resource-state.ts";
import { oldOf, type PlannedStep } from "./steps.ts";

/** The deletes at the end of a run: what was replaced, and what is no longer declared. */
export function planDeletes(recorded: readonly ResourceState[], isDeclared: (urn: string) => boolean): PlannedStep[] {
  const steps: PlannedStep[] = [];
  for (const old of recorded) {
    if (old.delete) {
      steps.push({ op: old.external ? "discard-replaced" : "delete-replaced", old });
    } else if (!isDeclared(old.urn)) {
      steps.push({ op: old.pendingReplacement ? "remove-pending-replace" : old.external ? "discard" : "delete", old });
    }
  }
  return steps;
}

/** Groups of deletes: a group may run at one time, and only after the group before it, which depends on it. */
export function scheduleDeletes(steps: readonly PlannedStep[], recorded: readonly ResourceState[]): PlannedStep[][] {
  const groups: PlannedStep[][] = [];
  const waiting = new Map(steps.map((step) => [oldOf(step), step]));
  while (waiting.size > 0) {
    const free = [...waiting].filter(
      ([resource]) => !dependenciesOf(resource, recorded).some((dep) => waiting.has(dep)),
    );
    if (free.length === 0) throw new Error("The recorded resources depend on each other in a circle.");
    for (const [resource] of free) waiting.delete(resource);
    groups.push(free.map(([, step]) => step));
  }
  return groups.reverse();
}

/** What must stay because `resource` does: all that it depends on, directly or not. */
export function neededBy(resource: ResourceState, recorded: readonly ResourceState[]): Set<ResourceState> {
  const needed = new Set<ResourceState>();
  const visit = (dependent: ResourceState) => {
    for (const dependency of dependenciesOf(dependent, recorded)) {
      if (needed.has(dependency)) continue;
      needed.add(dependency);
      visit(dependency);
    }
  };
  visit(resource);
  return needed;
}

function dependenciesOf(resource: ResourceState, recorded: readonly ResourceState[]): ResourceState[] {
  const urns = dependencyUrns(resource);
  const earlier = recorded.slice(0, recorded.indexOf(resource));
  const direct = earlier.filter(({ urn }) => urns.has(urn) || urn === resource.parent);
  // Depending on a component is depending on what it is made of.
  const components = direct.filter(({ urn, custom }) => !custom && urns.has(urn)).map(({ urn }) => urn);
  return [...direct, ...childrenOf(components, earlier)];
}

function childrenOf(parents: readonly string[], resources: readonly ResourceState[]): ResourceState[] {
  const urns = new Set(parents);
  return resources.filter(({ urn, parent }) => {
    const isChild = urns.has(parent);
    if (isChild) urns.add(urn);
    return isChild;
  });
}
