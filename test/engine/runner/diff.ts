import { changedKeys } from "./compare.ts";
import { keepIgnored } from "./ignore-changes.ts";
import type { DiffResult, ProviderCalls } from "./provider-client.ts";
import type { ResourceState } from "./resource-state.ts";

/** What a resource is compared with. */
export type Wanted = Pick<ResourceState, "urn" | "inputs" | "ignoreChanges">;

/** The provider's diff; where it does not say whether anything changes, different inputs are a change. */
export async function diffResource(client: ProviderCalls, old: ResourceState, wanted: Wanted): Promise<DiffResult> {
  const diff = await client.diff(old, wanted);
  if (diff.changes !== undefined) return diff;
  const { inputs } = keepIgnored(wanted.inputs, old.inputs, wanted.ignoreChanges);
  return { ...diff, changes: changedKeys(old.inputs, inputs).length > 0 };
}
