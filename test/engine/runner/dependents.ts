import { diffResource } from "./diff.ts";
import type { ProviderCalls } from "./provider-client.ts";
import { dependencyUrns, type ResourceState } from "./resource-state.ts";
import { type PropertyMap, unknown } from "./values.ts";

/**
 * Resources that must be deleted before `root` is, because they would be replaced with it: each dependent, direct or
 * not, is asked by a diff in which every input that comes from a replaced resource is unknown. In creation order.
 */
export async function findDependentsToReplace(
  root: ResourceState,
  recorded: readonly ResourceState[],
  alreadyDecided: ReadonlySet<string>,
  provider: () => Promise<ProviderCalls>,
): Promise<ResourceState[]> {
  const replaced = new Set([root.urn]);
  const found: ResourceState[] = [];
  for (const dependent of dependentsOf(root, recorded, alreadyDecided)) {
    const inputs = inputsWithUnknowns(dependent, replaced);
    if (inputs === undefined) continue;
    const { replaces } = await diffResource(await provider(), dependent, { ...dependent, inputs });
    if (replaces.length === 0) continue;
    replaced.add(dependent.urn);
    found.push(dependent);
  }
  return found;
}

/** What depends on `root`, directly or not; records stand in an order in which dependents come later. */
export function dependentsOf(
  root: ResourceState,
  recorded: readonly ResourceState[],
  ignored: ReadonlySet<string>,
  { withChildren = false } = {},
): ResourceState[] {
  const urns = new Set([root.urn]);
  const later = recorded.slice(recorded.indexOf(root) + 1).filter((candidate) => !ignored.has(candidate.urn));
  return later.filter((candidate) => {
    const needed = [...dependencyUrns(candidate), ...(withChildren ? [candidate.parent] : [])];
    const depends = needed.some((urn) => urns.has(urn));
    if (depends) urns.add(candidate.urn);
    return depends;
  });
}

/** The inputs for the diff, or nothing if no input comes from a replaced resource. */
function inputsWithUnknowns(dependent: ResourceState, replaced: ReadonlySet<string>): PropertyMap | undefined {
  if (!dependent.custom || dependent.external) return undefined;
  const affected = Object.keys(dependent.inputs).filter((key) =>
    (dependent.propertyDependencies[key] ?? []).some((urn) => replaced.has(urn)),
  );
  if (affected.length === 0) return undefined;
  return { ...dependent.inputs, ...Object.fromEntries(affected.map((key) => [key, unknown])) };
}
