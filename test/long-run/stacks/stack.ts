import type { Deployment } from "../../engine/runner/deployment.ts";
import { Stopped } from "../../engine/runner/executor.ts";
import type { Registrations } from "../../engine/runner/planner.ts";
import { Snapshot } from "../../engine/runner/snapshot.ts";
import { EngineRun, type Outcome } from "./engine-run.ts";
import type { Registration } from "./goals.ts";
import type { StackName } from "./program.ts";
import type { ProviderProcess } from "./provider-process.ts";

const nothing: Deployment = { resources: [], pendingOperations: [] };

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

  async #run(provider: ProviderProcess, refresh: boolean, work: (run: EngineRun) => Promise<void>): Promise<Outcome> {
    this.#isDead = false;
    const save = (deployment: Deployment) => {
      if (!this.#isDead) this.#saved = copied(deployment);
    };
    const run = new EngineRun(this.name, provider, new Snapshot(copied(this.#saved), save));
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
