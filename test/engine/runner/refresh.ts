import { markOutputs } from "./apply-step.ts";
import { changedProperties, equal } from "./compare.ts";
import { diffResource } from "./diff.ts";
import type { ProviderCalls } from "./provider-client.ts";
import type { ResourceState } from "./resource-state.ts";
import { changedInputs, type PlannedStep } from "./steps.ts";
import { DYNAMIC_PROVIDER_TYPE } from "./urn.ts";
import { markSecrets } from "./values.ts";

export type RefreshOutcome = "same" | "update" | "delete";

export interface Refreshed {
  readonly outcome: RefreshOutcome;
  /** Absent when the resource is gone. */
  readonly resource?: ResourceState;
  /** Properties that changed outside, even if the provider does not count that as a change. */
  readonly diffs: readonly string[];
}

/**
 * Reads a resource. Whether it counts as changed is the provider's word: its diff is asked for what the next up with an
 * unchanged program would have to do. One that is only looked at counts as changed when its outputs did.
 */
export async function refreshResource(old: ResourceState, provider: () => Promise<ProviderCalls>): Promise<Refreshed> {
  if (!old.custom || old.type === DYNAMIC_PROVIDER_TYPE || old.pendingReplacement) {
    return { outcome: "same", resource: old, diffs: [] };
  }
  const client = await provider();
  const { id, outputs, inputs = { ...old.inputs } } = await client.read(old);
  if (id === "") return { outcome: "delete", diffs: [] };
  markSecrets(inputs, old.inputs);
  markSecrets(outputs, old.outputs);
  const resource: ResourceState = { ...old, id, inputs, outputs, initErrors: [] };
  markOutputs(resource);
  if (!equal(inputs, old.inputs) || !equal(outputs, old.outputs)) resource.modified = new Date().toISOString();
  const isChanged = old.external ? !equal(outputs, old.outputs) : await wouldChange(resource, old, client);
  if (!isChanged) return { outcome: "same", resource, diffs: changedProperties(old.inputs, resource.inputs) };
  return { outcome: "update", resource, diffs: changedInputs(refreshStep(old, resource)) };
}

async function wouldChange(read: ResourceState, old: ResourceState, client: ProviderCalls): Promise<boolean> {
  return (await diffResource(client, read, old)).changes === true;
}

export function refreshStep(old: ResourceState, resource?: ResourceState): PlannedStep {
  return resource === undefined ? { op: "refresh", old } : { op: "refresh", old, new: resource };
}

/** The state after a refresh: without what is gone, and without references to it. */
export function rebase(recorded: readonly ResourceState[], refreshed: ReadonlyMap<ResourceState, Refreshed>) {
  const present = new Set<string>();
  const resources: ResourceState[] = [];
  for (const old of recorded) {
    const outcome = refreshed.get(old);
    const resource = outcome === undefined ? old : outcome.resource;
    if (resource === undefined) continue;
    const kept = (urns: readonly string[]) => urns.filter((urn) => present.has(urn));
    resources.push({
      ...resource,
      dependencies: kept(resource.dependencies),
      propertyDependencies: Object.fromEntries(
        Object.entries(resource.propertyDependencies)
          .map(([key, urns]) => [key, kept(urns)] as const)
          .filter(([, urns]) => urns.length > 0),
      ),
    });
    present.add(resource.urn);
  }
  return resources;
}
