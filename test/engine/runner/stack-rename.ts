import type { Deployment } from "./deployment.ts";
import type { ResourceState } from "./resource-state.ts";
import { nameOf, qualifiedTypeOf, STACK_TYPE, withQualifiedType } from "./urn.ts";

/** The deployment under the new name of its stack: every URN names the stack, and the root resource is named after it. */
export function renameStack(
  { resources, pendingOperations }: Deployment,
  before: { readonly project: string; readonly stack: string },
  stack: string,
): Deployment {
  const prefix = `urn:pulumi:${before.stack}::${before.project}::`;
  const rename = (urn: string): string => {
    if (!urn.startsWith(prefix)) return urn;
    const type = qualifiedTypeOf(urn);
    const name = type === STACK_TYPE ? `${before.project}-${stack}` : nameOf(urn);
    return withQualifiedType(stack, before.project, "", type, name);
  };
  return {
    resources: resources.map((resource) => renameIn(resource, rename)),
    pendingOperations: pendingOperations.map(({ resource, type }) => ({ resource: renameIn(resource, rename), type })),
  };
}

function renameIn(resource: ResourceState, rename: (urn: string) => string): ResourceState {
  const { urn, parent, provider, dependencies, propertyDependencies, aliases } = resource;
  const providerEnd = provider.lastIndexOf("::");
  return {
    ...resource,
    urn: rename(urn),
    parent: rename(parent),
    provider: provider === "" ? "" : `${rename(provider.slice(0, providerEnd))}${provider.slice(providerEnd)}`,
    dependencies: dependencies.map(rename),
    propertyDependencies: Object.fromEntries(
      Object.entries(propertyDependencies).map(([key, urns]) => [key, urns.map(rename)]),
    ),
    aliases: aliases.map(rename),
  };
}
