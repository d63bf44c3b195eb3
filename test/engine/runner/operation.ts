import type { ProviderCall, SpawnedProcess } from "../engine.ts";
import { applyStep } from "./apply-step.ts";
import { configInputs, type StackConfig } from "./config.ts";
import { neededBy, planDeletes, scheduleDeletes } from "./deletes.ts";
import type { Deployment } from "./deployment.ts";
import { Executor, Stopped } from "./executor.ts";
import { LeftOut } from "./left-out.ts";
import type { Registrations } from "./planner.ts";
import { ProgramRun } from "./program-run.ts";
import type { Project } from "./project.ts";
import type { ProviderClient } from "./provider-client.ts";
import { Providers } from "./provider-process.ts";
import { type Refreshed, rebase, refreshResource } from "./refresh.ts";
import { ProtectedError, Refusal, targetNotFound } from "./refusal.ts";
import type { OperationKind, Report } from "./report.ts";
import type { ResourceState } from "./resource-state.ts";
import { Snapshot } from "./snapshot.ts";
import { oldOf, type PlannedStep, subjectOf } from "./steps.ts";
import { confineDeletes } from "./target-deletes.ts";
import type { Targets } from "./targets.ts";
import { DYNAMIC_PROVIDER_TYPE } from "./urn.ts";
import type { PropertyMap } from "./values.ts";

export interface OperationOptions {
  readonly kind: OperationKind;
  readonly project: Project;
  readonly stackName: string;
  readonly config: StackConfig;
  readonly before: Deployment;
  /** Writes the state; not called in a preview. */
  readonly save: (deployment: Deployment) => void;
  readonly env: Readonly<Record<string, string>>;
  readonly parallel: number;
  readonly refresh: boolean;
  readonly replace: ReadonlySet<string>;
  readonly targets: Targets;
  readonly continueOnError: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onSpawn: (process: SpawnedProcess) => void;
  readonly report: Report;
}

/** One preview, up, refresh or destroy. */
export class Operation {
  readonly options: OperationOptions;
  readonly snapshot: Snapshot;
  readonly executor: Executor;
  readonly dryRun: boolean;
  readonly leftOut = new LeftOut();
  readonly #providers: Providers;
  /** They must stay, since what depends on them does. */
  readonly #kept = new Set<ResourceState>();
  #providerConfig: PropertyMap;

  constructor(options: OperationOptions) {
    const { report, project, env, onSpawn, before } = options;
    this.options = options;
    this.dryRun = options.kind === "preview";
    this.snapshot = new Snapshot(before, this.dryRun ? undefined : options.save);
    this.executor = new Executor({
      parallel: options.parallel,
      apply: (step) => this.#apply(step),
      continuesAfter: (error) => this.continuesAfter(error),
    });
    const onLine = (line: string) => report.printed("provider", line);
    this.#providers = new Providers({ project, env, onSpawn, onLine });
    this.#providerConfig = storedProviderConfig(before.resources);
  }

  get calls(): readonly ProviderCall[] {
    return this.#providers.calls;
  }

  /** The provider of the stack's resources: with the config of the last up until the program declares the present one. */
  readonly provider = (): Promise<ProviderClient> => this.#providers.get(this.#providerConfig);

  /** Whether the run goes on with what does not need the step that failed in this way. */
  continuesAfter(error: Error): boolean {
    return error instanceof ProtectedError || (this.options.continueOnError && !(error instanceof Stopped));
  }

  /** From here on the provider runs with the present config. */
  useConfig(): PropertyMap {
    this.#providerConfig = configInputs(this.options.config);
    return this.#providerConfig;
  }

  /** Returns whether all went well; what did not is in the report. */
  async run(): Promise<boolean> {
    const { report, signal } = this.options;
    const cancel = () => {
      this.executor.stop();
      void this.#providers.cancel();
    };
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      if (signal?.aborted === true) cancel();
      await this.#runPhases();
    } catch (error) {
      if (error instanceof Refusal) report.refused(error);
      else if (!(error instanceof Stopped)) report.error((error as Error).message);
    } finally {
      signal?.removeEventListener("abort", cancel);
      await this.executor.idle();
      await this.#providers.stop();
      this.snapshot.write();
    }
    const isCancelled = signal?.aborted === true;
    report.finish(isCancelled ? "cancelled" : report.hasErrors ? "failed" : "done");
    return !isCancelled && !report.hasErrors;
  }

  async #runPhases(): Promise<void> {
    const { kind, refresh, targets } = this.options;
    const [missing] = targets.missing((target) => this.#isRecorded(target));
    if (missing !== undefined && (kind === "destroy" || kind === "refresh")) {
      throw new Error(`no resource named '${missing}' found`);
    }
    this.#checkReplaceTargets();
    this.#warnAboutUnfinished();
    if (refresh || kind === "refresh") await this.#refresh();
    if (kind === "refresh") return;
    if (kind === "destroy") return this.runDeletes(this.#nothingRegistered());
    await new ProgramRun(this).run();
  }

  /** Deletes what the program no longer declares, dependents first. */
  async runDeletes(registrations: Registrations): Promise<void> {
    const recorded = this.snapshot.base;
    for (const group of scheduleDeletes(await this.#planDeletes(registrations), recorded)) {
      const steps = group.filter((step) => !this.#kept.has(oldOf(step)));
      await this.executor.runAll(steps.map((step) => [step]));
      if (this.executor.stopped) throw new Stopped("The run was stopped.");
    }
  }

  async #planDeletes(registrations: Registrations): Promise<readonly PlannedStep[]> {
    const { targets, report } = this.options;
    for (const urn of targets.missing((target) => registrations.isKnown(target))) report.error(targetNotFound(urn));
    const recorded = this.snapshot.base;
    const isDeclared = (urn: string) => registrations.isDeclared(urn);
    const { sames, deletes, refusals } = await confineDeletes(planDeletes(recorded, isDeclared), {
      ...{ targets, recorded, isDeclared },
      settled: registrations.settled,
      provider: this.provider,
    });
    for (const refusal of refusals) report.refused(refusal);
    if (refusals.length > 0 && !this.dryRun) throw new Stopped("The deletes were refused.");
    await this.executor.runAll(sames.map((step) => [step]));
    return deletes;
  }

  #nothingRegistered(): Registrations {
    return { isKnown: (urn) => this.#isRecorded(urn), isDeclared: () => false, settled: new Set() };
  }

  #isRecorded(target: string): boolean {
    return this.snapshot.base.some(({ urn }) => urn === target);
  }

  async #refresh(): Promise<void> {
    const { parallel, report, signal, targets } = this.options;
    const missing = targets.missing((target) => this.#isRecorded(target));
    for (const urn of missing) report.error(targetNotFound(urn));
    if (missing.length > 0) throw new Stopped("Not all targets are known.");
    const refreshed = new Map<ResourceState, Refreshed>();
    // A resource that cannot be read does not keep the others from being read.
    const apply = async ({ old }: PlannedStep) => {
      if (old === undefined) return;
      try {
        const result = await refreshResource(old, this.provider);
        refreshed.set(old, result);
        report.refreshed(old, result);
      } catch (error) {
        report.step({ op: "refresh", old }, error as Error);
        throw error;
      }
    };
    const reads = new Executor({ parallel, apply, continuesAfter: () => true });
    const stop = () => reads.stop();
    signal?.addEventListener("abort", stop, { once: true });
    await reads.runAll(targets.among(this.snapshot.base).map((old) => [{ op: "refresh", old }]));
    signal?.removeEventListener("abort", stop);
    this.snapshot.rebase(rebase(this.snapshot.base, refreshed));
    if (reads.failed || this.executor.stopped) throw new Stopped("The refresh did not succeed.");
  }

  async #apply(step: PlannedStep): Promise<void> {
    const { report } = this.options;
    const { dryRun, snapshot, provider } = this;
    try {
      await applyStep(step, { dryRun, snapshot, provider });
    } catch (error) {
      report.step(step, error as Error);
      if (this.continuesAfter(error as Error)) {
        this.leftOut.add(subjectOf(step).urn);
        if (step.old !== undefined) for (const needed of neededBy(step.old, snapshot.base)) this.#kept.add(needed);
      }
      throw error;
    }
    report.step(step);
  }

  #checkReplaceTargets(): void {
    const recorded = new Set(this.snapshot.base.map(({ urn }) => urn));
    const missing = [...this.options.replace].filter((urn) => !recorded.has(urn));
    if (missing.length > 0) throw new Error(`The stack has no resource ${missing.join(", ")} that could be replaced.`);
  }

  #warnAboutUnfinished(): void {
    for (const { resource, type } of this.options.before.pendingOperations) {
      const message = `The last run ended in the middle of ${type} this resource: check what became of it.`;
      this.options.report.message("warning", message, resource.urn);
    }
  }
}

function storedProviderConfig(resources: readonly ResourceState[]): PropertyMap {
  return resources.find(({ type }) => type === DYNAMIC_PROVIDER_TYPE)?.inputs ?? {};
}
