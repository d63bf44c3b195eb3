import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { selectEngine } from "./engine.ts";
import { recordScenario } from "./scenario-run.ts";
import { scenarios } from "./scenarios.ts";

// Records what the real engine does in each scenario: `tsx test/engine/record.ts [scenario…]`, then `npm run format`.
const engine = selectEngine();
if (!engine.isReal) throw new Error("Recordings are made with the real engine: put pulumi on the PATH.");
const folder = fileURLToPath(new URL("./golden/", import.meta.url));
mkdirSync(folder, { recursive: true });
const names = process.argv.slice(2);
for (const scenario of scenarios.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const recordings = await recordScenario(engine, scenario);
  writeFileSync(`${folder}${scenario.name}.json`, `${JSON.stringify(recordings, undefined, 1)}\n`);
  process.stdout.write(`${scenario.name}\n`);
}
