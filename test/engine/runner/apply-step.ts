import { randomUUID } from "node:crypto";
import { equal } from "./compare.ts";
import { InitializationError, type ProviderCalls } from "./provider-client.ts";
import { ProtectedError } from "./refusal.ts";
import type { ResourceState } from "./resource-state.ts";
import type { Snapshot } from "./snapshot.ts";
import { oldOf, type PlannedStep, subjectOf } from "./steps.ts";
import { DYNAMIC_PROVIDER_TYPE } from "./urn.ts";
import { containsUnknowns, markSecrets, type PropertyMap, Secret, secret, UNKNOWN_SENTINEL } from "./values.ts";

export interface StepContext {
  readonly dryRun: boolean;
  readonly snapshot: Snapshot;
  /** The provider that serves the resources of the stack at this point of the run. */
  readonly provider: () => Promise<ProviderCalls>;
}

/** Does a step: calls the provider unless it is a preview, and records the result. */
export async function applyStep(step: PlannedStep, context: StepContext): Promise<void> {
  switch (step.op) {
    case "same":
      return applySame(step, context);
    case "read":
    case "read-replacement":
      return applyRead(step, context);
    case "create":
    case "create-replacement":
      return applyCreate(step, context);
    case "update":
      return applyUpdate(step, context);
    case "delete":
    case "delete-replaced":
    case "discard":
    case "discard-replaced":
      return applyDelete(step, context);
    case "remove-pending-replace":
      context.snapshot.finish(oldOf(step));
      return context.snapshot.write();
    case "replace":
      // Only shown: the work is in the delete and create around it.
      return;
    default:
      throw new Error(`There is no way to apply a step ${step.op}.`);
  }
}

function applySame(step: PlannedStep, { snapshot }: StepContext): void {
  if (step.isSkippedCreate === true) return;
  const [old, resource] = [oldOf(step), subjectOf(step)];
  resource.id = old.id;
  resource.outputs = { ...old.outputs };
  markOutputs(resource);
  snapshot.finish(old);
  snapshot.add(resource);
  if (!isSameRecord(old, resource)) snapshot.write();
}

/** Reads in a preview, too, unless the id is not known yet. */
async function applyRead(step: PlannedStep, context: StepContext): Promise<void> {
  const { snapshot } = context;
  const resource = subjectOf(step);
  if (resource.id !== UNKNOWN_SENTINEL) {
    // All that is known of it yet is what the program gave.
    const asked = { ...resource, outputs: resource.inputs };
    const { id, outputs } = await (await context.provider()).read(asked);
    if (id !== "") resource.id = id;
    takeOutputs(resource, outputs);
  }
  if (step.deletesOldLater === true) oldOf(step).delete = true;
  else snapshot.finish(step.old);
  snapshot.add(resource);
  snapshot.write();
}

async function applyCreate(step: PlannedStep, context: StepContext): Promise<void> {
  const { snapshot, dryRun } = context;
  const resource = subjectOf(step);
  if (dryRun) return applyCreateInPreview(step, context);
  snapshot.begin(resource, "creating");
  const failure = await attempt(resource, snapshot, async () => {
    if (resource.type === DYNAMIC_PROVIDER_TYPE) return { id: randomUUID(), outputs: { ...resource.inputs } };
    if (!resource.custom) return { id: "", outputs: {} };
    const created = await (await context.provider()).create(resource.urn, resource.inputs);
    if (created.id === "") throw new Error("The provider returned no id from create.");
    return created;
  });
  resource.created = resource.modified = new Date().toISOString();
  if (step.deletesOldLater === true && step.old !== undefined) step.old.delete = true;
  snapshot.end(resource);
  if (step.old?.pendingReplacement === true) snapshot.finish(step.old);
  snapshot.add(resource);
  snapshot.write();
  if (failure !== undefined) throw failure;
}

/** What a preview knows of a resource that is to be created is what it was given. */
function applyCreateInPreview(step: PlannedStep, { snapshot }: StepContext): void {
  const resource = subjectOf(step);
  resource.outputs = resource.custom ? { ...resource.inputs } : {};
  markOutputs(resource);
  if (step.deletesOldLater === true && step.old !== undefined) step.old.delete = true;
  snapshot.add(resource);
}

async function applyUpdate(step: PlannedStep, context: StepContext): Promise<void> {
  const { snapshot, dryRun } = context;
  const [old, resource] = [oldOf(step), subjectOf(step)];
  resource.id = old.id;
  let failure: InitializationError | undefined;
  if (dryRun) {
    resource.outputs = resource.custom ? { ...resource.inputs } : {};
    markOutputs(resource);
  } else {
    snapshot.begin(resource, "updating");
    failure = await attempt(resource, snapshot, async () => {
      if (resource.type === DYNAMIC_PROVIDER_TYPE) return { id: old.id, outputs: { ...resource.inputs } };
      if (!resource.custom) return { id: "", outputs: {} };
      const client = await context.provider();
      return { id: old.id, outputs: await client.update(resource.urn, old, resource.inputs) };
    });
    resource.id = old.id;
    resource.modified = new Date().toISOString();
    snapshot.end(resource);
  }
  snapshot.finish(old);
  snapshot.add(resource);
  snapshot.write();
  if (failure !== undefined) throw failure;
}

async function applyDelete(step: PlannedStep, context: StepContext): Promise<void> {
  const { snapshot } = context;
  const old = oldOf(step);
  const isReplaced = step.op === "delete-replaced" || step.op === "discard-replaced";
  if (old.protect && !isReplaced) throw new ProtectedError(old.urn);
  if (!context.dryRun) {
    snapshot.begin(old, "deleting");
    try {
      if (isDeletedByProvider(old)) {
        await (await context.provider()).delete(old);
      }
    } finally {
      snapshot.end(old);
      snapshot.write();
    }
  }
  if (step.keepsRecord === true) old.pendingReplacement = true;
  else snapshot.finish(old);
  snapshot.write();
}

function isDeletedByProvider({ custom, type, external, retainOnDelete }: ResourceState): boolean {
  return custom && type !== DYNAMIC_PROVIDER_TYPE && !external && !retainOnDelete;
}

/**
 * Runs the provider's part of a create or update. One that exists in spite of its failure is recorded with its reasons,
 * and the failure is returned; any other failure leaves no record and is thrown.
 */
async function attempt(
  resource: ResourceState,
  snapshot: Snapshot,
  call: () => Promise<{ id: string; outputs: PropertyMap }>,
): Promise<InitializationError | undefined> {
  try {
    const { id, outputs } = await call();
    resource.id = id;
    takeOutputs(resource, outputs);
    return undefined;
  } catch (error) {
    if (error instanceof InitializationError) {
      resource.id = error.id;
      resource.initErrors = error.reasons;
      takeOutputs(resource, error.properties);
      return error;
    }
    snapshot.end(resource);
    snapshot.write();
    throw error;
  }
}

function takeOutputs(resource: ResourceState, outputs: PropertyMap): void {
  if (containsUnknowns(outputs)) throw new Error(`The provider returned an unknown value for ${resource.urn}.`);
  markSecrets(outputs, resource.inputs);
  resource.outputs = outputs;
  markOutputs(resource);
}

/** Marks the outputs that the program declares secret, or whose input of the same name is secret as a whole. */
export function markOutputs(resource: ResourceState): void {
  for (const [name, value] of Object.entries(resource.outputs)) {
    if (resource.inputs[name] instanceof Secret) resource.outputs[name] = secret(value);
  }
  for (const name of resource.additionalSecretOutputs) {
    const value = resource.outputs[name];
    if (value !== undefined) resource.outputs[name] = secret(value);
  }
}

function isSameRecord(old: ResourceState, resource: ResourceState): boolean {
  const links = ({
    urn,
    parent,
    provider,
    dependencies,
    propertyDependencies,
    additionalSecretOutputs,
    protect,
    retainOnDelete,
    ignoreChanges,
  }: ResourceState) =>
    JSON.stringify([
      ...[urn, parent, provider, dependencies, propertyDependencies, additionalSecretOutputs],
      ...[protect, retainOnDelete, ignoreChanges],
    ]);
  return equal(old.inputs, resource.inputs) && links(old) === links(resource) && old.initErrors.length === 0;
}
