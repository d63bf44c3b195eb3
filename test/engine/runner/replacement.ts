import { findDependentsToReplace } from "./dependents.ts";
import type { ProviderCalls } from "./provider-client.ts";
import { protectedDependent } from "./refusal.ts";
import type { ResourceState } from "./resource-state.ts";
import type { PlannedStep } from "./steps.ts";

/** Makes the new one first; the old one is deleted at the end of the run. */
export function createFirst(old: ResourceState, resource: ResourceState): PlannedStep[] {
  return [
    { op: "create-replacement", old, new: resource, deletesOldLater: true },
    { op: "replace", old, new: resource },
  ];
}

/** Makes the new one where the old one is deleted already. */
export function createAfterDelete(old: ResourceState, resource: ResourceState): PlannedStep[] {
  return [
    { op: "replace", old, new: resource },
    { op: "create-replacement", old, new: resource },
  ];
}

export interface DeleteFirstContext {
  readonly base: readonly ResourceState[];
  /** URNs that this run has decided about. */
  readonly decided: ReadonlySet<string>;
  /** URNs that are deleted because of what they depend on; those found here are added. */
  readonly condemned: Set<string>;
  readonly provider: () => Promise<ProviderCalls>;
}

/** Deletes the old one first, and before it the dependents that would be replaced with it. */
export async function deleteFirst(
  old: ResourceState,
  resource: ResourceState,
  { base, decided, condemned, provider }: DeleteFirstContext,
): Promise<PlannedStep[]> {
  const dependents = await findDependentsToReplace(old, base, new Set([...decided, ...condemned]), provider);
  const steps: PlannedStep[] = [];
  for (const dependent of dependents.reverse()) {
    if (dependent.protect) throw protectedDependent(dependent.urn, resource.urn);
    condemned.add(dependent.urn);
    steps.push({ op: "delete-replaced", old: dependent, keepsRecord: true });
  }
  if (!old.pendingReplacement) steps.push({ op: "delete-replaced", old, keepsRecord: true });
  return [...steps, ...createAfterDelete(old, resource)];
}
