import { AliasTable } from "./aliases.ts";
import { equal } from "./compare.ts";
import { findDependentsToReplace } from "./dependents.ts";
import { diffResource } from "./diff.ts";
import type { DiffResult, ProviderClient } from "./provider-client.ts";
import type { Goal } from "./registration.ts";
import type { ResourceState } from "./resource-state.ts";
import type { PlannedStep } from "./steps.ts";
import { DYNAMIC_PROVIDER_TYPE, makeUrn } from "./urn.ts";
import { containsUnknowns, markSecrets, type PropertyMap } from "./values.ts";

export interface PlannerOptions {
  readonly stack: string;
  readonly project: string;
  readonly dryRun: boolean;
  /** The resources before the run, in the order of their creation. */
  readonly base: readonly ResourceState[];
  /** URNs to replace whatever their diff says. */
  readonly replace: ReadonlySet<string>;
  readonly provider: () => Promise<ProviderClient>;
}

/** Decides, one registration after the other, what is to be done: asks `check` and `diff`, and plans the steps. */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #aliases: AliasTable;
  readonly #recorded: ReadonlyMap<string, ResourceState>;
  readonly #seen = new Set<string>();
  /** Resources that this run has decided about. */
  readonly #decided = new Set<string>();
  /** Deleted because of what they depend on, and not registered yet. */
  readonly #condemned = new Set<string>();

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#aliases = new AliasTable(options.stack, options.project);
    this.#recorded = new Map(options.base.filter((resource) => !resource.delete).map((found) => [found.urn, found]));
  }

  /** True if the program still declares the resource. */
  isDeclared(urn: string): boolean {
    return this.#decided.has(urn) || this.#aliases.isTaken(urn);
  }

  async plan(goal: Goal, providerRef: string): Promise<{ resource: ResourceState; steps: PlannedStep[] }> {
    const { stack, project } = this.#options;
    const urn = makeUrn({ stack, project, parent: goal.parent, type: goal.type, name: goal.name });
    if (goal.parent !== "" && !this.#seen.has(goal.parent)) {
      throw new Error(`The parent ${goal.parent} of ${urn} is not registered.`);
    }
    if (this.#seen.has(urn)) throw new Error(`The program registers ${urn} twice: give each resource its own name.`);
    this.#seen.add(urn);
    const { old, alias } = this.#aliases.find(urn, goal, this.#recorded, this.#seen);
    const resource = newResource(urn, goal, providerRef, old, alias);
    const steps = await this.#decide(goal, resource, old);
    this.#decided.add(urn);
    return { resource, steps };
  }

  async #decide(goal: Goal, resource: ResourceState, old: ResourceState | undefined): Promise<PlannedStep[]> {
    const isRecreated = this.#condemned.has(resource.urn);
    const isTargeted = old !== undefined && this.#options.replace.has(old.urn);
    const startsAnew = old === undefined || isRecreated || isTargeted;
    await this.#check(goal, resource, startsAnew ? {} : old.inputs);
    if (old === undefined) return [{ op: "create", new: resource }];
    if (isRecreated) {
      this.#condemned.delete(resource.urn);
      return replacement(old, resource);
    }
    const diff: DiffResult = isTargeted
      ? { changes: true, replaces: ["id"], deleteBeforeReplace: false }
      : await this.#diff(resource, old);
    const isReplaced = diff.replaces.length > 0 || old.pendingReplacement;
    if ((diff.changes === true && isReplaced) || old.pendingReplacement) {
      // The new one is made from its own inputs, without what check carried over from the old one.
      if (!isTargeted) await this.#check(goal, resource, {});
      return this.#replace(resource, old, goal.deleteBeforeReplace ?? diff.deleteBeforeReplace);
    }
    const isUnfinished = old.initErrors.length > 0;
    if (diff.changes === true || isUnfinished) return [{ op: "update", old, new: resource }];
    return [{ op: "same", old, new: resource }];
  }

  async #check(goal: Goal, resource: ResourceState, olds: PropertyMap): Promise<void> {
    if (!isDynamic(resource)) return;
    const { urn } = resource;
    const { inputs, failures } = await (await this.#options.provider()).check(urn, olds, goal.properties);
    markSecrets(inputs, goal.properties);
    if (failures.length > 0) throw new CheckError(urn, failures);
    if (!this.#options.dryRun && containsUnknowns(inputs)) {
      throw new Error(`The provider's check of ${urn} returned an unknown value, which is allowed in a preview only.`);
    }
    resource.inputs = inputs;
  }

  async #diff(resource: ResourceState, old: ResourceState): Promise<DiffResult> {
    if (isDynamic(resource)) return diffResource(await this.#options.provider(), old, resource.inputs, resource.urn);
    return { changes: !equal(old.inputs, resource.inputs), replaces: [], deleteBeforeReplace: false };
  }

  async #replace(resource: ResourceState, old: ResourceState, deleteFirst: boolean): Promise<PlannedStep[]> {
    if (!deleteFirst) {
      const create: PlannedStep = { op: "create-replacement", old, new: resource, deletesOldLater: true };
      return [create, { op: "replace", old, new: resource }];
    }
    const client = await this.#options.provider();
    const dependents = await findDependentsToReplace(old, this.#options.base, this.#decidedOrCondemned(), client);
    const steps: PlannedStep[] = [];
    for (const dependent of dependents.reverse()) {
      this.#condemned.add(dependent.urn);
      steps.push({ op: "delete-replaced", old: dependent, keepsRecord: true });
    }
    if (!old.pendingReplacement) steps.push({ op: "delete-replaced", old, keepsRecord: true });
    return [...steps, ...replacement(old, resource)];
  }

  #decidedOrCondemned(): ReadonlySet<string> {
    return new Set([...this.#decided, ...this.#condemned]);
  }
}

/** The provider's `check` refused the inputs. */
class CheckError extends Error {
  readonly urn: string;

  constructor(urn: string, failures: readonly { readonly property: string; readonly reason: string }[]) {
    super(failures.map(({ property, reason }) => (property === "" ? reason : `${property}: ${reason}`)).join("\n"));
    this.urn = urn;
  }
}

function replacement(old: ResourceState, resource: ResourceState): PlannedStep[] {
  return [
    { op: "replace", old, new: resource },
    { op: "create-replacement", old, new: resource },
  ];
}

function isDynamic(resource: ResourceState): boolean {
  return resource.custom && resource.type !== DYNAMIC_PROVIDER_TYPE;
}

function newResource(
  urn: string,
  goal: Goal,
  providerRef: string,
  old: ResourceState | undefined,
  alias: string | undefined,
): ResourceState {
  return {
    urn,
    type: goal.type,
    custom: goal.custom,
    id: "",
    inputs: goal.properties,
    outputs: {},
    parent: goal.parent,
    dependencies: goal.dependencies,
    propertyDependencies: goal.propertyDependencies,
    provider: providerRef,
    additionalSecretOutputs: goal.additionalSecretOutputs,
    aliases: alias === undefined ? [] : [alias],
    initErrors: [],
    delete: false,
    pendingReplacement: false,
    created: old?.created,
    modified: old?.modified,
  };
}
