import { applyStep } from "../../engine/runner/apply-step.ts";
import { planDeletes, scheduleDeletes } from "../../engine/runner/deletes.ts";
import { Executor, Stopped } from "../../engine/runner/executor.ts";
import { Planner, type Registrations } from "../../engine/runner/planner.ts";
import { type Refreshed, rebase, refreshResource } from "../../engine/runner/refresh.ts";
import type { ResourceState } from "../../engine/runner/resource-state.ts";
import type { Snapshot } from "../../engine/runner/snapshot.ts";
import type { PlannedStep } from "../../engine/runner/steps.ts";
import { Targets } from "../../engine/runner/targets.ts";
import type { Done, Registration } from "./goals.ts";
import { PROJECT } from "./goals.ts";
import type { StackName } from "./program.ts";
import type { ProviderProcess } from "./provider-process.ts";

export interface StepDone {
  readonly op: string;
  readonly urn: string;
  readonly error?: Error;
}

/** What a run came to. */
export interface Outcome {
  readonly ok: boolean;
  /** What went wrong, first things first. */
  readonly errors: readonly Error[];
  /** Steps that asked the provider for something. */
  readonly steps: readonly StepDone[];
}

/** Steps of one run that are under way at the same time. */
const PARALLEL = 8;

/** One run of the engine: the program's registrations are planned one at a time, and each waits for what it needs. */
export class EngineRun {
  readonly errors: Error[] = [];
  readonly steps: StepDone[] = [];
  readonly #snapshot: Snapshot;
  readonly #executor: Executor;
  readonly #stack: StackName;
  readonly #provider: ProviderProcess;
  #planning: Promise<unknown> = Promise.resolve();

  constructor(stack: StackName, provider: ProviderProcess, snapshot: Snapshot) {
    this.#stack = stack;
    this.#provider = provider;
    this.#snapshot = snapshot;
    this.#executor = new Executor({ parallel: PARALLEL, apply: (step) => this.#apply(step) });
  }

  async idle(): Promise<void> {
    await this.#executor.idle();
    this.#snapshot.write();
  }

  async program(registrations: readonly Registration[]): Promise<void> {
    const planner = new Planner({
      ...{ stack: this.#stack, project: PROJECT, dryRun: false, base: this.#snapshot.base },
      ...{ replace: new Set(), targets: new Targets([], false), provider: this.#client },
      onRefusal: (refusal) => void this.errors.push(refusal),
      onInfo: () => {},
    });
    const made = new Map<string, Promise<void>>();
    const done = new Map<string, Done>();
    for (const registration of registrations) {
      const work = Promise.all(registration.needs.map((name) => made.get(name))).then(async () => {
        const { id, outputs } = await this.#register(planner, registration, done);
        done.set(registration.name, { id, outputs });
      });
      work.catch(() => this.#executor.stop());
      made.set(registration.name, work);
    }
    const results = await Promise.allSettled(made.values());
    const failed = results.find((result) => result.status === "rejected" && !this.#isTold(result.reason));
    if (failed?.status === "rejected") this.errors.push(failed.reason as Error);
    if (this.errors.length > 0) throw new Stopped("The program's resources failed.");
    await this.deletes(planner);
  }

  /** What is declared no more, dependents first; all of a group at one time. */
  async deletes(registrations: Registrations): Promise<void> {
    const recorded = this.#snapshot.base;
    const steps = planDeletes(recorded, (urn) => registrations.isDeclared(urn));
    for (const group of scheduleDeletes(steps, recorded)) {
      await this.#executor.runAll(group.map((step) => [step]));
      if (this.#executor.stopped) throw new Stopped("The run was stopped.");
    }
  }

  async refresh(): Promise<void> {
    const refreshed = new Map<ResourceState, Refreshed>();
    const apply = async (step: PlannedStep) => {
      const { old } = step as { old: ResourceState };
      await this.#noted("refresh", old.urn, async () => {
        refreshed.set(old, await refreshResource(old, this.#client));
      });
    };
    const reads = new Executor({ parallel: PARALLEL, apply, continuesAfter: () => true });
    await reads.runAll(this.#snapshot.base.map((old) => [{ op: "refresh" as const, old }]));
    this.#snapshot.rebase(rebase(this.#snapshot.base, refreshed));
    if (reads.failed) throw new Stopped("The refresh did not succeed.");
  }

  readonly #client = async () => this.#provider.calls;

  async #register(planner: Planner, registration: Registration, done: Map<string, Done>): Promise<ResourceState> {
    const { resource, finished } = await this.#inTurn(async () => {
      const plan = await planner.plan(registration.goal(done), "");
      const { finished: steps } = await this.#executor.start(plan.steps);
      steps.catch(() => {});
      return { resource: plan.resource, finished: steps };
    });
    await finished;
    return resource;
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#planning.then(() => {
      if (this.#executor.stopped) throw new Stopped("The run was stopped.");
      return task();
    });
    this.#planning = turn.catch(() => {});
    return turn;
  }

  async #apply(step: PlannedStep): Promise<void> {
    const context = { dryRun: false, snapshot: this.#snapshot, provider: this.#client };
    const urn = (step.new ?? step.old)?.urn ?? "";
    if (step.op === "same" || step.op === "replace") return applyStep(step, context);
    await this.#noted(step.op, urn, () => applyStep(step, context));
  }

  async #noted(op: string, urn: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.steps.push({ op, urn });
    } catch (error) {
      this.steps.push({ op, urn, error: error as Error });
      this.errors.push(error as Error);
      throw error;
    }
  }

  #isTold(error: unknown): boolean {
    return error instanceof Stopped || this.errors.includes(error as Error);
  }
}
