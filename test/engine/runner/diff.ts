import { changedKeys } from "./compare.ts";
import type { DiffResult, ProviderClient } from "./provider-client.ts";
import type { ResourceState } from "./resource-state.ts";
import type { PropertyMap } from "./values.ts";

/** The provider's diff; where it does not say whether anything changes, different inputs are a change. */
export async function diffResource(
  client: ProviderClient,
  old: ResourceState,
  news: PropertyMap,
  urn = old.urn,
): Promise<DiffResult> {
  const diff = await client.diff(old, news, urn);
  return diff.changes === undefined ? { ...diff, changes: changedKeys(old.inputs, news).length > 0 } : diff;
}
