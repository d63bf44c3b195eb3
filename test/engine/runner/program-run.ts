import { deferred } from "./deferred.ts";
import { Stopped } from "./executor.ts";
import { MonitorServer, type ProgramRequests, type RegisteredResource } from "./monitor.ts";
import type { Operation } from "./operation.ts";
import { type Plan, Planner } from "./planner.ts";
import { describeExit, type ExitStatus } from "./process-group.ts";
import { EXIT_LOGGED, ProgramProcess } from "./program-process.ts";
import { Refusal } from "./refusal.ts";
import type { Goal } from "./registration.ts";
import type { ResourceState } from "./resource-state.ts";
import { DYNAMIC_PROVIDER_TYPE, makeUrn, STACK_TYPE } from "./urn.ts";
import { type PropertyMap, UNKNOWN_SENTINEL, withoutUnknowns } from "./values.ts";

/** The part of a preview or up in which the program runs: it registers resources, and each is planned and done. */
export class ProgramRun {
  readonly #operation: Operation;
  readonly #planner: Planner;
  readonly #registered = new Map<string, ResourceState>();
  readonly #skipped = new Set<string>();
  /** Registrations are planned one at a time: a provider never sees two checks or diffs at once. */
  #planning: Promise<unknown> = Promise.resolve();
  #providerRef: Promise<string> | undefined;
  #stackOutputs: PropertyMap | undefined;
  readonly #programFinished = deferred<void>();
  readonly #stepsEnded = deferred<void>();
  readonly #failed = deferred<never>();

  constructor(operation: Operation) {
    const { project, stackName, replace, targets, report } = operation.options;
    this.#operation = operation;
    this.#planner = new Planner({
      stack: stackName,
      project: project.name,
      dryRun: operation.dryRun,
      base: operation.snapshot.base,
      replace,
      targets,
      provider: operation.provider,
      onRefusal: (refusal) => report.refused(refusal),
      onInfo: (message, urn) => report.message("info", message, urn),
    });
    // It may fail while nobody waits for it; then the program's end is waited for, and told.
    this.#failed.promise.catch(() => {});
  }

  async run(): Promise<void> {
    const { server, address } = await MonitorServer.start(this.#requests());
    const program = this.#startProgram(address);
    const { signal } = this.#operation.options;
    const cancel = () => this.#fail(new Stopped("The run was cancelled."));
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      if (signal?.aborted === true) cancel();
      await Promise.race([this.#programFinished.promise, this.#failed.promise, endedEarly(program)]);
      await Promise.race([this.#operation.runDeletes(this.#planner), this.#failed.promise]);
      this.#stepsEnded.resolve();
      throwUnlessSuccess(await program.ended);
    } catch (error) {
      this.#operation.executor.stop();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
      await program.stop();
      server.stop();
      await this.#operation.executor.idle();
      this.#recordStackOutputs();
    }
  }
  #startProgram(address: string): ProgramProcess {
    const { project, stackName, config, parallel, env, onSpawn, report } = this.#operation.options;
    return new ProgramProcess({
      project,
      stackName,
      config,
      parallel,
      env,
      onSpawn,
      dryRun: this.#operation.dryRun,
      monitorAddress: address,
      engineAddress: address,
      onLine: (line) => report.printed("program", line),
    });
  }

  #requests(): ProgramRequests {
    const { report } = this.#operation.options;
    return {
      registerResource: (goal) => this.#perform(goal, (providerRef) => this.#planner.plan(goal, providerRef)),
      readResource: (goal) =>
        this.#perform({ ...goal, custom: true }, async (ref) => this.#planner.planRead(goal, ref)),
      registerOutputs: (urn, outputs) => this.#inTurn(async () => this.#registerOutputs(urn, outputs)),
      programFinished: () => {
        this.#programFinished.resolve();
        return this.#stepsEnded.promise;
      },
      log: (severity, message, urn) => {
        if (severity !== "debug") report.message(severity, message, urn);
      },
      refuse: (error) => this.#fail(error),
    };
  }

  /** Answers when the resource is done. A failure ends the run, and with it the program, which gets no answer. */
  async #perform(
    goal: Pick<Goal, "name" | "custom">,
    plan: (providerRef: string) => Promise<Plan>,
  ): Promise<RegisteredResource> {
    try {
      const { resource, finished } = await this.#inTurn(async () => {
        return this.#start(await plan(goal.custom ? await this.#registerProvider() : ""));
      });
      const missing = await finished;
      const { urn, id, outputs } = resource;
      return { urn, id, outputs: goal.custom ? outputs : {}, ...(missing === undefined ? {} : { missing }) };
    } catch (error) {
      // A step that failed is reported already; the run ends for the same reason.
      const isReported = this.#operation.executor.stopped;
      this.#fail(isReported ? new Stopped("A step failed.") : inContext(error as Error, goal));
      return new Promise<never>(() => {});
    }
  }

  /** Without what needs something that failed. */
  async #start({ resource, steps }: Plan): Promise<Started> {
    this.#registered.set(resource.urn, resource);
    const admitted = this.#operation.leftOut.admit(steps);
    const skipped = admitted.length < steps.length ? ("skipped" as const) : undefined;
    if (skipped !== undefined) this.#skipped.add(resource.urn);
    if (skipped !== undefined && admitted.length === 0) return { resource, finished: Promise.resolve(skipped) };
    const started = await this.#operation.executor.start(admitted);
    const finished = started.finished.then(
      () => skipped,
      (error: Error) => {
        if (this.#operation.continuesAfter(error)) return "failed" as const;
        throw error;
      },
    );
    // Whoever waits for it sees the failure; here it only must not be unhandled until then.
    finished.catch(() => {});
    return { resource, finished };
  }

  /** Like the engine, records the provider with the stack's whole config, before the first resource that needs it. */
  #registerProvider(): Promise<string> {
    this.#providerRef ??= (async () => {
      const { resource, steps } = await this.#planner.plan(providerGoal(this.#operation.useConfig()), "");
      await (await this.#operation.executor.start(steps)).finished;
      return `${resource.urn}::${resource.id === "" ? UNKNOWN_SENTINEL : resource.id}`;
    })();
    return this.#providerRef;
  }

  #registerOutputs(urn: string, outputs: PropertyMap): void {
    const resource = this.#registered.get(urn);
    if (resource === undefined) throw new Error(`The program registers outputs of ${urn}, which is not registered.`);
    if (this.#skipped.has(urn)) {
      // So does the engine (3.260): a component cannot be left out.
      const error = new Error(`cannot complete a resource '${urn}' whose registration isn't pending`);
      this.#fail(error);
      throw error;
    }
    // After a failure there is what the program could not learn.
    const learned = this.#operation.dryRun ? outputs : withoutUnknowns(outputs);
    if (resource.type === STACK_TYPE) {
      this.#stackOutputs = learned;
      return;
    }
    resource.outputs = learned;
    this.#operation.snapshot.write();
  }

  /** After a failure a missing output proves nothing, so the old one stays. */
  #recordStackOutputs(): void {
    const { project, stackName, report } = this.#operation.options;
    const name = `${project.name}-${stackName}`;
    const stack = this.#registered.get(makeUrn({ stack: stackName, project: project.name, type: STACK_TYPE, name }));
    if (stack === undefined || this.#stackOutputs === undefined) return;
    stack.outputs = report.hasErrors ? { ...stack.outputs, ...this.#stackOutputs } : this.#stackOutputs;
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#planning.then(() => {
      if (this.#operation.executor.stopped) throw new Stopped("The run was stopped.");
      return task();
    });
    this.#planning = turn.catch(() => {});
    return turn;
  }

  #fail(error: Error): void {
    this.#operation.executor.stop();
    this.#failed.reject(error);
  }
}

interface Started {
  readonly resource: ResourceState;
  readonly finished: Promise<RegisteredResource["missing"]>;
}

async function endedEarly(program: ProgramProcess): Promise<void> {
  throwUnlessSuccess(await program.ended);
}

function throwUnlessSuccess(status: ExitStatus): void {
  if (status.code === 0) return;
  // The SDK's runner has logged the program's own error before it ends with this status.
  if (status.code === EXIT_LOGGED) throw new Stopped("The program failed.");
  throw new Error(`The program ended with ${describeExit(status)}.`);
}

function inContext(error: Error, goal: Pick<Goal, "name">): Error {
  return error instanceof Stopped || error instanceof Refusal
    ? error
    : new Error(`${goal.name}: ${error.message}`, { cause: error });
}

function providerGoal(config: PropertyMap): Goal {
  return {
    type: DYNAMIC_PROVIDER_TYPE,
    name: "default",
    custom: true,
    parent: "",
    properties: config,
    dependencies: [],
    propertyDependencies: {},
    deleteBeforeReplace: undefined,
    additionalSecretOutputs: [],
    aliases: [],
    protect: undefined,
    retainOnDelete: undefined,
    ignoreChanges: [],
  };
}
