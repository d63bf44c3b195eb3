import type { StepOp } from "../engine.ts";
import { changedProperties } from "./compare.ts";
import type { ResourceState } from "./resource-state.ts";
import { DYNAMIC_PROVIDER_TYPE } from "./urn.ts";

/** One thing to do to one resource. */
export interface PlannedStep {
  readonly op: StepOp;
  readonly old?: ResourceState;
  readonly new?: ResourceState;
  /** delete-replaced: the record stays, marked, until the replacement is made. */
  readonly keepsRecord?: boolean;
  /** create-replacement, read-replacement: the old one is deleted at the end of the run. */
  readonly deletesOldLater?: boolean;
  /** same: the resource is not made, since it is no target. */
  readonly isSkippedCreate?: boolean;
}

/** The resource the step is about. */
export function subjectOf(step: PlannedStep): ResourceState {
  const subject = step.new ?? step.old;
  if (subject === undefined) throw new Error(`A step ${step.op} must have a resource.`);
  return subject;
}

/** The old resource of a step that has one. */
export function oldOf(step: PlannedStep): ResourceState {
  if (step.old === undefined) throw new Error(`A step ${step.op} must have an old resource.`);
  return step.old;
}

/** True for the provider that Pulumi makes by itself: it is recorded, not shown. */
export function isHidden(step: PlannedStep): boolean {
  return subjectOf(step).type === DYNAMIC_PROVIDER_TYPE;
}

/** Names of the input properties that the step changes. */
export function changedInputs(step: PlannedStep): readonly string[] {
  if (step.old === undefined || step.new === undefined || step.op === "same") return [];
  const inputs = changedProperties(step.old.inputs, step.new.inputs);
  if (step.op !== "refresh") return inputs;
  return [...new Set([...inputs, ...changedProperties(step.old.outputs, step.new.outputs)])];
}
