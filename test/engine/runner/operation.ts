import type { ProviderCall, SpawnedProcess } from "../engine.ts";
import { applyStep } from "./apply-step.ts";
import { configInputs, type StackConfig } from "./config.ts";
import { planDeletes, scheduleDeletes } from "./deletes.ts";
import type { Deployment } from "./deployment.ts";
import { Executor, Stopped } from "./executor.ts";
import { ProgramRun } from "./program-run.ts";
import type { Project } from "./project.ts";
import type { ProviderClient } from "./provider-client.ts";
import { Providers } from "./provider-process.ts";
import { type Refreshed, rebase, refreshResource } from "./refresh.ts";
import type { OperationKind, Report } from "./report.ts";
import type { ResourceState } from "./resource-state.ts";
import { Snapshot } from "./snapshot.ts";
import type { PlannedStep } from "./steps.ts";
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
  readonly #providers: Providers;
  #providerConfig: PropertyMap;

  constructor(options: OperationOptions) {
    const { report, project, env, onSpawn, before } = options;
    this.options = options;
    this.dryRun = options.kind === "preview";
    this.snapshot = new Snapshot(before, this.dryRun ? undefined : options.save);
    this.executor = new Executor({ parallel: options.parallel, apply: (step) => this.#apply(step) });
    const onLine = (line: string) => report.printed("provider", line);
    this.#providers = new Providers({ project, env, onSpawn, onLine });
    this.#providerConfig = storedProviderConfig(before.resources);
  }

  get calls(): readonly ProviderCall[] {
    return this.#providers.calls;
  }

  /** The provider of the stack's resources: with the config of the last up until the program declares the present one. */
  readonly provider = (): Promise<ProviderClient> => this.#providers.get(this.#providerConfig);

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
      if (!(error instanceof Stopped)) report.error((error as Error).message);
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
    const { kind, refresh } = this.options;
    this.#checkReplaceTargets();
    this.#warnAboutUnfinished();
    if (refresh || kind === "refresh") await this.#refresh();
    if (kind === "refresh") return;
    if (kind === "destroy") return this.runDeletes(() => false);
    await new ProgramRun(this).run();
  }

  /** Deletes what the program no longer declares, dependents first. */
  async runDeletes(isDeclared: (urn: string) => boolean): Promise<void> {
    const recorded = this.snapshot.base;
    for (const group of scheduleDeletes(planDeletes(recorded, isDeclared), recorded)) {
      await this.executor.runAll(group.map((step) => [step]));
      if (this.executor.stopped) throw new Stopped("The run was stopped.");
    }
  }

  async #refresh(): Promise<void> {
    const { parallel, report, signal } = this.options;
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
    const reads = new Executor({ parallel, apply, continueOnError: true });
    const stop = () => reads.stop();
    signal?.addEventListener("abort", stop, { once: true });
    await reads.runAll(this.snapshot.base.map((old) => [{ op: "refresh", old }]));
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
