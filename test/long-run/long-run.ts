import fc from "fast-check";
import { CONFIGURATIONS } from "./configurations.ts";
import { Machine } from "./machine.ts";
import { anySequence, play } from "./sequence.ts";
import { count, newStatistics, type Statistics, summary } from "./statistics.ts";

export interface LongRunOptions {
  readonly configuration: string;
  /** So many at least. */
  readonly operations: number;
  /** That of the first sequence; the others count on from it. */
  readonly seed: number;
  /** How long a failing sequence is made shorter. */
  readonly shrinkMs: number;
  readonly print: (line: string) => void;
}

const MOST_ACTIONS = 30;
/** Whoever waits over night wants to see that it goes on. */
const TELL_MS = 30_000;

/** What a long run came to; a failure tells the shortest sequence that was found. */
export interface LongRunResult {
  readonly statistics: Statistics;
  readonly failure?: string;
}

/** Plays random sequences, one after the other on one host, until there were enough operations or one went wrong. */
export async function longRun(options: LongRunOptions): Promise<LongRunResult> {
  const { configuration, operations, print } = options;
  const lab = CONFIGURATIONS[configuration];
  if (lab === undefined)
    throw new Error(`no configuration ${configuration}; there are ${Object.keys(CONFIGURATIONS).join(", ")}`);
  const statistics = newStatistics();
  let told = performance.now();
  const host = new Hosts(() => Machine.start(lab));
  try {
    for (let seed = options.seed; statistics.operations < operations; seed += 1) {
      const failure = await sequenceOf(seed, host, statistics, options);
      if (performance.now() - told > TELL_MS) {
        told = performance.now();
        print(`${configuration}, sequence ${seed}: ${statistics.operations} operations`);
      }
      if (failure !== undefined) return { statistics, failure };
    }
    print(`${configuration}, seed ${options.seed}: ${summary(statistics)}`);
    return { statistics };
  } finally {
    await host.close();
  }
}

/** One sequence; when it goes wrong, what went wrong in the shortest that does. */
async function sequenceOf(
  seed: number,
  host: Hosts,
  statistics: Statistics,
  { configuration, shrinkMs }: LongRunOptions,
): Promise<string | undefined> {
  let isShrinking = false;
  const property = fc.asyncProperty(anySequence(MOST_ACTIONS), async (deeds) => {
    // What is done to make a failure shorter does not count.
    const counted = isShrinking ? newStatistics() : statistics;
    try {
      await play(deeds, await host.get(), counted);
      // Every list is worth something, so that a run of empty ones ends.
      if (counted.operations === 0) count(counted, "nothing");
    } catch (error) {
      isShrinking = true;
      await host.discard();
      throw error;
    }
  });
  // A limit of 0 would end the first try as well.
  const limits = shrinkMs === 0 ? { endOnFailure: true } : { interruptAfterTimeLimit: shrinkMs };
  const result = await fc.check(property, { seed, numRuns: 1, ...limits });
  if (!result.failed || result.counterexample === null) return undefined;
  const { errorInstance, counterexample } = result;
  const replay = `XENNET_SEED=${seed} XENNET_HOST_KIND='${configuration}'`;
  return `${replay} replays this, made shorter ${result.numShrinks} times:\n${counterexample[0]}\n${(errorInstance as Error).message}`;
}

/** A host that serves many sequences; one on which something went wrong is not used again. */
class Hosts {
  readonly #make: () => Promise<Machine>;
  #present: Machine | undefined;

  constructor(make: () => Promise<Machine>) {
    this.#make = make;
  }

  async get(): Promise<Machine> {
    this.#present ??= await this.#make();
    return this.#present;
  }

  async discard(): Promise<void> {
    await this.#present?.[Symbol.asyncDispose]();
    this.#present = undefined;
  }

  close(): Promise<void> {
    return this.discard();
  }
}
