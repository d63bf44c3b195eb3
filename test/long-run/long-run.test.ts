import { expect, test } from "vitest";
import { CONFIGURATIONS } from "./configurations.ts";
import { longRun } from "./long-run.ts";

/** In all; the seed that a failure tells plays its sequence again. */
const OPERATIONS = 1000;
const { XENNET_SEED, XENNET_HOST_KIND } = process.env;
const kinds = XENNET_HOST_KIND === undefined ? Object.keys(CONFIGURATIONS) : [XENNET_HOST_KIND];
const seed = XENNET_SEED === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(XENNET_SEED);

/** Each host plays sequences of its own. */
const seeds = kinds.map((kind, index) => [kind, seed + 1000 * index] as const);

test.each(seeds)("whatever happens, what is said is what is there: %s", async (configuration, first) => {
  const operations = XENNET_HOST_KIND === undefined ? OPERATIONS / kinds.length : 1;
  console.log(`seed ${first} on ${configuration}`);
  const { failure } = await longRun({ configuration, operations, seed: first, shrinkMs: 240_000, print: console.log });
  expect(failure).toBeUndefined();
});
