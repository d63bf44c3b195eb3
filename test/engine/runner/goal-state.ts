import type { FoundResource } from "./aliases.ts";
import type { Goal, ReadGoal } from "./registration.ts";
import type { ResourceState } from "./resource-state.ts";

/** The record of a resource as the program wants it, without what only the provider knows. */
export function stateOf(urn: string, goal: Goal, provider: string, { old, alias }: FoundResource): ResourceState {
  return {
    ...NOTHING_SPECIAL,
    urn,
    provider,
    type: goal.type,
    custom: goal.custom,
    id: "",
    inputs: goal.properties,
    parent: goal.parent,
    dependencies: goal.dependencies,
    propertyDependencies: goal.propertyDependencies,
    additionalSecretOutputs: goal.additionalSecretOutputs,
    aliases: alias === undefined ? [] : [alias],
    protect: goal.protect ?? false,
    retainOnDelete: goal.retainOnDelete ?? false,
    ignoreChanges: goal.ignoreChanges,
    created: old?.created,
    modified: old?.modified,
  };
}

/** The record of an existing resource that is only looked at. */
export function externalStateOf(urn: string, goal: ReadGoal, provider: string, { old, alias }: FoundResource) {
  const resource: ResourceState = {
    ...NOTHING_SPECIAL,
    urn,
    provider,
    type: goal.type,
    custom: true,
    external: true,
    id: goal.id,
    inputs: goal.properties,
    parent: goal.parent,
    dependencies: goal.dependencies,
    additionalSecretOutputs: goal.additionalSecretOutputs,
    aliases: alias === undefined ? [] : [alias],
    created: old?.created,
    modified: old?.modified,
  };
  return resource;
}

/** The goal with what it leaves to its parent. */
export function withInherited(goal: Goal, parent: Goal | undefined): Goal {
  if (parent === undefined) return goal;
  return {
    ...goal,
    protect: goal.protect ?? parent.protect,
    retainOnDelete: goal.retainOnDelete ?? parent.retainOnDelete,
  };
}

const NOTHING_SPECIAL = {
  outputs: {},
  propertyDependencies: {},
  protect: false,
  retainOnDelete: false,
  external: false,
  ignoreChanges: [],
  initErrors: [],
  delete: false,
  pendingReplacement: false,
} as const;
