import { AliasTable } from "./aliases.ts";
import { checkInputs } from "./check.ts";
import { equal } from "./compare.ts";
import { diffResource } from "./diff.ts";
import { externalStateOf, stateOf, withInherited } from "./goal-state.ts";
import { keepIgnored } from "./ignore-changes.ts";
import type { DiffResult, ProviderCalls } from "./provider-client.ts";
import { dependsOnUntargeted, protectedFromReplacement, type Refusal } from "./refusal.ts";
import type { Goal, ReadGoal } from "./registration.ts";
import { createAfterDelete, createFirst, deleteFirst } from "./replacement.ts";
import { dependencyUrns, type ResourceState } from "./resource-state.ts";
import { type PlannedStep, subjectOf } from "./steps.ts";
import type { Targets } from "./targets.ts";
import { untargetedSteps } from "./untargeted.ts";
import { DYNAMIC_PROVIDER_TYPE, makeUrn } from "./urn.ts";
import type { PropertyMap } from "./values.ts";

export interface PlannerOptions {
  readonly stack: string;
  readonly project: string;
  readonly dryRun: boolean;
  /** The resources before the run, in the order of their creation. */
  readonly base: readonly ResourceState[];
  /** URNs to replace whatever their diff says. */
  readonly replace: ReadonlySet<string>;
  readonly targets: Targets;
  readonly provider: () => Promise<ProviderCalls>;
  /** A refusal after which the preview goes on, to show what else there is. */
  readonly onRefusal: (refusal: Refusal) => void;
  readonly onInfo: (message: string, urn: string) => void;
}

/** What the registrations of a run mean for the deletes at its end. */
export interface Registrations {
  /** True if the program still declares the resource, or what it declares needs it. */
  isDeclared(urn: string): boolean;
  /** True if there was such a resource, or is now. */
  isKnown(urn: string): boolean;
  /** Decided about or deleted: URNs that need not be asked whether they would be replaced. */
  readonly settled: ReadonlySet<string>;
}

export interface Plan {
  readonly resource: ResourceState;
  readonly steps: readonly PlannedStep[];
}

/** Decides, one registration after the other, what is to be done: asks `check` and `diff`, and plans the steps. */
export class Planner implements Registrations {
  readonly #options: PlannerOptions;
  readonly #aliases: AliasTable;
  readonly #recorded: ReadonlyMap<string, ResourceState>;
  readonly #seen = new Set<string>();
  readonly #goals = new Map<string, Goal>();
  /** Resources that this run has decided about. */
  readonly #decided = new Set<string>();
  /** Deleted because of what they depend on, and not registered yet. */
  readonly #condemned = new Set<string>();
  /** Not created, since they are no targets. */
  readonly #skipped = new Set<string>();

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#aliases = new AliasTable(options.stack, options.project);
    this.#recorded = new Map(options.base.filter((resource) => !resource.delete).map((found) => [found.urn, found]));
  }

  isDeclared(urn: string): boolean {
    return this.#decided.has(urn) || this.#aliases.isTaken(urn);
  }

  isKnown(urn: string): boolean {
    return this.#seen.has(urn) || this.#options.base.some((resource) => resource.urn === urn);
  }

  get settled(): ReadonlySet<string> {
    return new Set([...this.#decided, ...this.#condemned]);
  }

  async plan(declared: Goal, providerRef: string): Promise<Plan> {
    const goal = withInherited(declared, this.#goals.get(declared.parent));
    const urn = this.#identify(goal);
    this.#goals.set(urn, goal);
    const found = this.#aliases.find(urn, goal, this.#recorded, this.#seen);
    const resource = stateOf(urn, goal, providerRef, found);
    const plan = await this.#planFor(goal, resource, found.old);
    this.#decided.add(urn);
    if (this.#options.targets.isConstrained) this.#refuseSkippedDependencies(plan);
    return plan;
  }

  /** An existing resource is read whether or not it is a target. */
  planRead(goal: ReadGoal, providerRef: string): Plan {
    const urn = this.#identify(goal);
    const found = this.#aliases.find(urn, { ...goal, aliases: [] }, this.#recorded, this.#seen);
    const resource = externalStateOf(urn, goal, providerRef, found);
    const { old } = found;
    this.#decided.add(urn);
    if (old === undefined) return { resource, steps: [{ op: "read", new: resource }] };
    if (old.external || old.id === goal.id) return { resource, steps: [{ op: "read", old, new: resource }] };
    const read: PlannedStep = { op: "read-replacement", old, new: resource, deletesOldLater: true };
    return { resource, steps: [read, { op: "replace", old, new: resource }] };
  }

  #identify({ parent, type, name }: Goal | ReadGoal): string {
    const { stack, project } = this.#options;
    const urn = makeUrn({ stack, project, parent, type, name });
    if (parent !== "" && !this.#seen.has(parent)) {
      throw new Error(`The parent ${parent} of ${urn} is not registered.`);
    }
    if (this.#seen.has(urn)) throw new Error(`The program registers ${urn} twice: give each resource its own name.`);
    this.#seen.add(urn);
    return urn;
  }

  async #planFor(goal: Goal, resource: ResourceState, old: ResourceState | undefined): Promise<Plan> {
    if (this.#options.targets.covers(resource)) return { resource, steps: await this.#decide(goal, resource, old) };
    if (old === undefined) {
      this.#skipped.add(resource.urn);
      return { resource, steps: [{ op: "same", new: resource, isSkippedCreate: true }] };
    }
    if (!old.external && !this.#condemned.has(resource.urn)) return this.#keepUntargeted(old);
    // A provider must not be asked about what is no target.
    if (isDynamic(resource)) resource.inputs = old.inputs;
    return { resource, steps: this.#recreate(resource, old) };
  }

  #keepUntargeted(old: ResourceState): Plan {
    const steps = untargetedSteps(old, this.#recorded, (urn) => this.isDeclared(urn) || this.#condemned.has(urn));
    const kept = steps.map(subjectOf);
    for (const { urn } of kept) {
      this.#seen.add(urn);
      this.#decided.add(urn);
    }
    return { resource: kept.at(-1) ?? old, steps };
  }

  async #decide(goal: Goal, resource: ResourceState, old: ResourceState | undefined): Promise<readonly PlannedStep[]> {
    const isRecreated = this.#condemned.has(resource.urn);
    const isToReplace = this.#options.replace.has(resource.urn);
    const startsAnew = old === undefined || isRecreated || isToReplace || old.external;
    const inputs = old === undefined ? resource.inputs : this.#withoutIgnored(goal, resource, old);
    if (startsAnew) await this.#check(resource, {}, goal.properties);
    else await this.#check(resource, old.inputs, inputs);
    if (old === undefined) return [{ op: "create", new: resource }];
    if (isRecreated || old.external) return this.#recreate(resource, old);
    const diff: DiffResult = isToReplace
      ? { changes: true, replaces: ["id"], deleteBeforeReplace: false }
      : await this.#diff(resource, old, inputs);
    const isReplaced = diff.replaces.length > 0 || old.pendingReplacement;
    if ((diff.changes === true && isReplaced) || old.pendingReplacement) {
      if (resource.protect && old.protect) this.#refuse(protectedFromReplacement(resource.urn));
      // The new one is made from its own inputs, without what check carried over from the old one.
      if (!isToReplace) await this.#check(resource, {}, goal.properties);
      return this.#replace(resource, old, goal.deleteBeforeReplace ?? diff.deleteBeforeReplace);
    }
    const isUnfinished = old.initErrors.length > 0;
    if (diff.changes === true || isUnfinished) return [{ op: "update", old, new: resource }];
    return [{ op: "same", old, new: resource }];
  }

  /** What is deleted already, or was only looked at so far, is made anew. */
  #recreate(resource: ResourceState, old: ResourceState): PlannedStep[] {
    if (!this.#condemned.delete(resource.urn)) return createFirst(old, resource);
    return createAfterDelete(old, resource);
  }

  async #replace(resource: ResourceState, old: ResourceState, deletesFirst: boolean): Promise<readonly PlannedStep[]> {
    if (!deletesFirst) return createFirst(old, resource);
    const { base, provider } = this.#options;
    return deleteFirst(old, resource, { base, provider, decided: this.#decided, condemned: this.#condemned });
  }

  #withoutIgnored({ ignoreChanges }: Goal, { urn, inputs }: ResourceState, old: ResourceState): PropertyMap {
    const kept = keepIgnored(inputs, old.inputs, ignoreChanges);
    if (kept.unfit.length > 0) {
      const paths = JSON.stringify(kept.unfit.join(", "));
      this.#options.onInfo(`cannot ignore changes in added or removed elements of the path: ${paths}`, urn);
    }
    return kept.inputs;
  }

  async #check(resource: ResourceState, olds: PropertyMap, news: PropertyMap): Promise<void> {
    if (!isDynamic(resource)) return;
    const { provider, dryRun } = this.#options;
    resource.inputs = await checkInputs(resource, { olds, news, allowUnknowns: dryRun }, await provider());
  }

  async #diff(resource: ResourceState, old: ResourceState, inputs: PropertyMap): Promise<DiffResult> {
    if (isDynamic(resource)) return diffResource(await this.#options.provider(), old, resource);
    return { changes: !equal(old.inputs, inputs), replaces: [], deleteBeforeReplace: false };
  }

  #refuseSkippedDependencies({ steps }: Plan): void {
    for (const { new: resource, isSkippedCreate } of steps) {
      if (resource === undefined || isSkippedCreate === true) continue;
      for (const urn of [resource.parent, ...dependencyUrns(resource)]) {
        if (!this.#skipped.has(urn)) continue;
        this.#refuse(dependsOnUntargeted(resource.urn, urn));
        // Told once is enough.
        this.#skipped.delete(urn);
      }
    }
  }

  /** A preview goes on after a refusal, to show what else there is. */
  #refuse(refusal: Refusal): void {
    if (!this.#options.dryRun) throw refusal;
    this.#options.onRefusal(refusal);
  }
}

function isDynamic(resource: ResourceState): boolean {
  return resource.custom && resource.type !== DYNAMIC_PROVIDER_TYPE;
}
