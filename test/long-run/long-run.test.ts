import { expect, test } from "vitest";
import { CONFIGURATIONS } from "./configurations.ts";
import { longRun } from "./long-run.ts";
import { newStatistics, summary } from "./statistics.ts";

/** In all; the seed that a failure tells plays its sequence again. */
const OPERATIONS = 1000;
/** The same sequences every time, so that whoever changes nothing sees nothing new; new ones are the long run's own. */
const USUAL_SEED = 1;
const { XENNET_SEED, XENNET_HOST_KIND } = process.env;
const kinds = XENNET_HOST_KIND === undefined ? Object.keys(CONFIGURATIONS) : [XENNET_HOST_KIND];

/** Each host plays sequences of its own. */
const seeds = kinds.map((kind, index) => [kind, firstSeed() + 1000 * index] as const);

function firstSeed(): number {
  if (XENNET_SEED === "random") return Math.floor(Math.random() * 2 ** 30);
  const seed = Number(XENNET_SEED ?? USUAL_SEED);
  if (Number.isSafeInteger(seed)) return seed;
  throw new Error(`XENNET_SEED is a number or random, not ${XENNET_SEED}`);
}

test.each(seeds)("whatever happens, what is said is what is there: %s", async (configuration, seed) => {
  // Whoever names a host wants the one sequence that a failure told.
  const operations = XENNET_HOST_KIND === undefined ? OPERATIONS / kinds.length : 1;
  const statistics = newStatistics();
  console.log(`seed ${seed} on ${configuration}`);
  const { failure } = await longRun({
    ...{ configuration, operations, seed, statistics, shrinkMs: 240_000, print: console.log },
  });
  console.log(summary(statistics));
  expect(failure?.text).toBeUndefined();
});
