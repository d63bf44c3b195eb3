import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Engine, selectEngine } from "./engine.ts";
import { stackRunner } from "./runner/run.ts";
import { type Recording, recordScenario } from "./scenario-run.ts";
import { scenarios } from "./scenarios.ts";

const installed = selectEngine();
// The recordings bind the stack runner always, and the real engine where there is one: a newer one may differ.
const engines: readonly Engine[] = installed.isReal ? [stackRunner(), installed] : [stackRunner()];

for (const engine of engines) {
  for (const scenario of scenarios) {
    test(`the ${engine.name} ${scenario.title}`, { timeout: 120_000 }, async () => {
      const file = new URL(`./golden/${scenario.name}.json`, import.meta.url);
      const expected = JSON.parse(readFileSync(file, "utf8")) as Recording[];
      const recorded = JSON.parse(JSON.stringify(await recordScenario(engine, scenario))) as Recording[];
      expect(recorded).toEqual(expected);
    });
  }
}
