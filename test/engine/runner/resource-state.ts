import type { PropertyMap } from "./values.ts";

/** One resource as the state records it. The planner makes a new one for each registration. */
export interface ResourceState {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  /** Empty for components, and for a resource that is not created yet. */
  id: string;
  inputs: PropertyMap;
  outputs: PropertyMap;
  readonly parent: string;
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  /** `<provider urn>::<provider id>`, or empty for components and providers. */
  readonly provider: string;
  readonly additionalSecretOutputs: readonly string[];
  /** Former URNs. */
  readonly aliases: readonly string[];
  /** It may not be deleted, nor replaced while the program asks for protection, too. */
  readonly protect: boolean;
  /** Its delete is only a change of the state. */
  readonly retainOnDelete: boolean;
  /** It is only looked at: it is neither changed nor deleted. */
  readonly external: boolean;
  readonly ignoreChanges: readonly string[];
  initErrors: readonly string[];
  /** Replaced, and still to be deleted. */
  delete: boolean;
  /** Deleted for its replacement, which is not made yet. */
  pendingReplacement: boolean;
  created: string | undefined;
  modified: string | undefined;
}

/** URNs this resource needs, its parent aside. */
export function dependencyUrns(resource: ResourceState): Set<string> {
  const urns = new Set([...resource.dependencies, ...Object.values(resource.propertyDependencies).flat()]);
  if (resource.provider !== "") urns.add(resource.provider.slice(0, resource.provider.lastIndexOf("::")));
  return urns;
}
