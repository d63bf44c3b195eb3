import type { PlannedStep } from "./steps.ts";

/** The run has stopped: a step was not started, or its result is no longer of interest. */
export class Stopped extends Error {}

export interface ExecutorOptions {
  /** Most steps at one time. */
  readonly parallel: number;
  readonly apply: (step: PlannedStep) => Promise<void>;
  /** Whether to keep starting steps after one failed in this way; never, unless given. */
  readonly continuesAfter?: (error: Error) => boolean;
}

/** Runs chains of steps, so many at a time, and starts no new step after the first failure. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #waiting: (() => void)[] = [];
  readonly #running = new Set<Promise<void>>();
  #free: number;
  #stopped = false;
  #failed = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#free = options.parallel;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Starts no further step. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Waits for a free worker, then runs the steps one after the other. `finished` rejects if one fails or the run stops
   * before the last. Like the engine, whoever plans the next steps waits here while all workers are busy.
   */
  async start(chain: readonly PlannedStep[]): Promise<{ readonly finished: Promise<void> }> {
    await this.#acquire();
    const finished = this.#runChain(chain).finally(() => this.#release());
    const settled = finished.catch(() => {}).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
    return { finished };
  }

  /** Runs each chain on its own worker; resolves when all have ended, well or not. */
  async runAll(chains: readonly (readonly PlannedStep[])[]): Promise<void> {
    for (const chain of chains) await this.start(chain);
    await this.idle();
  }

  /** Resolves when no step runs any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #runChain(chain: readonly PlannedStep[]): Promise<void> {
    try {
      for (const step of chain) {
        if (this.#stopped) throw new Stopped("The run was stopped.");
        await this.#options.apply(step);
      }
    } catch (error) {
      if (!(error instanceof Stopped)) {
        this.#failed = true;
        if (this.#options.continuesAfter?.(error as Error) !== true) this.#stopped = true;
      }
      throw error;
    }
  }

  async #acquire(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
