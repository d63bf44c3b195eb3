import { readFileSync } from "node:fs";
import { test } from "vitest";
import { type Engine, selectEngine } from "./engine.ts";
import { stackRunner } from "./runner/run.ts";
import { type Recording, recordScenario } from "./scenario-run.ts";
import { scenarios } from "./scenarios.ts";

const installed = selectEngine();
// The recordings bind the stack runner always, and the real engine where there is one: a newer one may differ.
const engines: readonly Engine[] = installed.isReal ? [stackRunner(), installed] : [stackRunner()];

for (const engine of engines) {
  for (const scenario of scenarios) {
    // Every scenario has files and processes of its own; most of its time is the start of Node.
    test.concurrent(`the ${engine.name} ${scenario.title}`, { timeout: 240_000 }, async ({ expect }) => {
      const file = new URL(`./golden/${scenario.name}.json`, import.meta.url);
      const expected = JSON.parse(readFileSync(file, "utf8")) as Recording[];
      const recorded = JSON.parse(JSON.stringify(await recordScenario(engine, scenario))) as Recording[];
      expect(recorded).toEqual(expected);
    });
  }
}
