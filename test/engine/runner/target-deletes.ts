import { dependentsOf, findDependentsToReplace } from "./dependents.ts";
import type { ProviderCalls } from "./provider-client.ts";
import { deletesUntargeted, type Refusal } from "./refusal.ts";
import type { ResourceState } from "./resource-state.ts";
import { oldOf, type PlannedStep } from "./steps.ts";
import type { Targets } from "./targets.ts";
import { keepAsItIs } from "./untargeted.ts";

export interface TargetDeletesOptions {
  readonly targets: Targets;
  readonly recorded: readonly ResourceState[];
  readonly isDeclared: (urn: string) => boolean;
  /** URNs that need not be asked whether they would be replaced. */
  readonly settled: ReadonlySet<string>;
  readonly provider: () => Promise<ProviderCalls>;
}

export interface ConfinedDeletes {
  /** What is left alone, with a step that says so. */
  readonly sames: readonly PlannedStep[];
  readonly deletes: readonly PlannedStep[];
  /** Deletes that nobody asked for, although a target cannot go without them. */
  readonly refusals: readonly Refusal[];
}

/** Confines the deletes to the targets and what depends on them. */
export async function confineDeletes(
  steps: readonly PlannedStep[],
  { targets, recorded, isDeclared, settled, provider }: TargetDeletesOptions,
): Promise<ConfinedDeletes> {
  if (!targets.isConstrained) return { sames: [], deletes: steps, refusals: [] };
  const allowed = new Set<string>();
  for (const target of recorded.filter(({ urn }) => targets.isNamed(urn))) {
    allowed.add(target.urn);
    for (const { urn } of dependentsOf(target, recorded, new Set(), { withChildren: true })) allowed.add(urn);
  }
  // Like the engine, which asks here once more which of the dependents would be replaced.
  for (const root of recorded.filter(({ urn }) => allowed.has(urn))) {
    for (const { urn } of await findDependentsToReplace(root, recorded, settled, provider)) allowed.add(urn);
  }
  const deletes = steps.filter((step) => allowed.has(oldOf(step).urn));
  const unnamed = deletes.filter((step) => !targets.withDependents && !targets.isNamed(oldOf(step).urn));
  return {
    sames: recorded.filter(({ urn }) => !allowed.has(urn) && !isDeclared(urn)).map(keepAsItIs),
    deletes,
    refusals: unnamed.map((step) => deletesUntargeted(oldOf(step).urn)),
  };
}
