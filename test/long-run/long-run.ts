import type { Action } from "./actions.ts";
import { CONFIGURATIONS } from "./configurations.ts";
import { Machine } from "./machine.ts";
import { search } from "./search.ts";
import { play } from "./sequence.ts";
import type { Handlers } from "./stacks/provider-process.ts";
import { count, newStatistics, type Statistics } from "./statistics.ts";

export interface LongRunOptions {
  readonly configuration: string;
  /** So many at least. */
  readonly operations: number;
  /** That of the first sequence; the others count on from it. */
  readonly seed: number;
  /** How long a failing sequence is made shorter. */
  readonly shrinkMs: number;
  readonly print: (line: string) => void;
  /** What was done is added to this. */
  readonly statistics: Statistics;
  /** A sequence's actions beside its opening and its end. */
  readonly mostActions?: number;
  /** Others than the provider's, to see that what they do wrong is found. */
  readonly handlers?: Handlers;
}

/** Long ones meet more states; what they have in common, the opening and the end, costs as much as twenty actions. */
const MOST_ACTIONS = 40;
/** Whoever waits over night wants to see that it goes on. */
const TELL_MS = 30_000;

/** What a long run came to. */
export interface LongRunResult {
  /** Of the next sequence. */
  readonly seed: number;
  readonly failure?: Failure;
}

/** A sequence that went wrong, in the shortest form that was found. */
export interface Failure {
  readonly seed: number;
  readonly actions: readonly Action[];
  /** What was found wrong. */
  readonly message: string;
  readonly text: string;
}

/** Plays random sequences, one after the other on one host, until there were enough operations or one went wrong. */
export async function longRun(options: LongRunOptions): Promise<LongRunResult> {
  const { configuration, operations, print, statistics, handlers } = options;
  const lab = CONFIGURATIONS[configuration];
  if (lab === undefined) {
    throw new Error(`no configuration ${configuration}; there are ${Object.keys(CONFIGURATIONS).join(", ")}`);
  }
  const before = statistics.operations;
  let told = performance.now();
  const host = new Hosts(() => Machine.start({ ...lab, handlers }));
  try {
    let { seed } = options;
    for (; statistics.operations - before < operations; seed += 1) {
      const failure = await searchOn(seed, host, options);
      if (failure !== undefined) return { failure, seed: seed + 1 };
      if (performance.now() - told < TELL_MS) continue;
      told = performance.now();
      print(`${configuration}, sequence ${seed}: ${statistics.operations} operations`);
    }
    return { seed };
  } finally {
    await host.discard();
  }
}

/** One sequence; when it goes wrong, what went wrong in the shortest that does. */
async function searchOn(seed: number, host: Hosts, options: LongRunOptions): Promise<Failure | undefined> {
  const { configuration, shrinkMs, statistics, mostActions = MOST_ACTIONS } = options;
  const found = await search(seed, { mostActions, shrinkMs }, async (actions, done, isShrinking) => {
    // What is done to make a failure shorter does not count.
    const counted = isShrinking ? newStatistics() : statistics;
    try {
      await play(actions, await host.get(), counted, done);
      // Every list is worth something, so that a run of empty ones ends.
      count(counted, "same host");
    } catch (error) {
      await host.discard();
      throw error;
    }
  });
  if (found === undefined) return undefined;
  const { actions, message } = found;
  const replay = `XENNET_SEED=${seed} XENNET_HOST_KIND='${configuration}' replays this; as short as it became:`;
  const text = [replay, ...actions.map((action) => `  ${JSON.stringify(action)},`), message].join("\n");
  return { seed, actions, message, text };
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
}
