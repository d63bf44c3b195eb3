import { applyStep } from "../../engine/runner/apply-step.ts";
import { planDeletes, scheduleDeletes } from "../../engine/runner/deletes.ts";
import type { Deployment } from "../../engine/runner/deployment.ts";
import { Executor, Stopped } from "../../engine/runner/executor.ts";
import { Planner, type Registrations } from "../../engine/runner/planner.ts";
import { type Refreshed, rebase, refreshResource } from "../../engine/runner/refresh.ts";
import type { ResourceState } from "../../engine/runner/resource-state.ts";
import { Snapshot } from "../../engine/runner/snapshot.ts";
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

const nothing: Deployment = { resources: [], pendingOperations: [] };
const PARALLEL = 8;

/** A stack as the engine keeps it: the state it last wrote, and runs that go on from there, eight steps at once. */
export class Stack {
  readonly name: StackName;
  #saved: Deployment = nothing;

  constructor(name: StackName) {
    this.name = name;
  }

  get state(): Deployment {
    return this.#saved;
  }

  up(provider: ProviderProcess, program: readonly Registration[], refresh: boolean): Promise<Outcome> {
    return this.#run(provider, refresh, (run) => run.program(program));
  }

  refresh(provider: ProviderProcess): Promise<Outcome> {
    return this.#run(provider, true, async () => {});
  }

  destroy(provider: ProviderProcess, refresh: boolean): Promise<Outcome> {
    const none: Registrations = { isKnown: () => true, isDeclared: () => false, settled: new Set() };
    return this.#run(provider, refresh, (run) => run.deletes(none));
  }

  /** Records what a dying engine does not: nothing. From here on a run that goes on writes no state. */
  #isDead = false;
  engineDies(): void {
    this.#isDead = true;
  }

  async #run(provider: ProviderProcess, refresh: boolean, work: (run: Run) => Promise<void>): Promise<Outcome> {
    this.#isDead = false;
    const save = (deployment: Deployment) => {
      if (!this.#isDead) this.#saved = copied(deployment);
    };
    const run = new Run(this.name, provider, new Snapshot(copied(this.#saved), save));
    try {
      if (refresh) await run.refresh();
      await work(run);
    } catch (error) {
      if (!(error instanceof Stopped)) run.errors.push(error as Error);
    } finally {
      await run.idle();
    }
    return { ok: run.errors.length === 0, errors: run.errors, steps: run.steps };
  }
}

const copied = (deployment: Deployment): Deployment => JSON.parse(JSON.stringify(deployment));

/** One run of the engine: the program's registrations are planned one at a time, and each waits for what it needs. */
class Run {
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
