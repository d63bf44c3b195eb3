import { parseArgs } from "node:util";
import { CONFIGURATIONS } from "./configurations.ts";
import { longRun } from "./long-run.ts";

// npm run --silent long-run -- --operations 100000 --seed 1 [--host "xcp-ng-8.3 nft"] [--keep-going]
const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "1000" },
    seed: { type: "string" },
    host: { type: "string" },
    "keep-going": { type: "boolean", default: false },
    "shrink-seconds": { type: "string", default: "600" },
  },
});
const kinds = values.host === undefined ? Object.keys(CONFIGURATIONS) : [values.host];
let seed = Number(values.seed ?? Date.now() % 1_000_000);
const each = Math.ceil(Number(values.operations) / kinds.length);
console.log(`seed ${seed}, ${each} operations on each of ${kinds.join(", ")}`);
for (const configuration of kinds) {
  let left = each;
  while (left > 0) {
    const began = performance.now();
    const shrinkMs = 1000 * Number(values["shrink-seconds"]);
    const { failure, statistics } = await longRun({
      configuration,
      operations: left,
      seed,
      shrinkMs,
      print: console.log,
    });
    left -= statistics.operations;
    seed += statistics.sequences + 1;
    const ms = (performance.now() - began) / Math.max(1, statistics.operations);
    console.log(`${configuration}: ${statistics.operations} operations, ${ms.toFixed(0)} ms each`);
    if (failure === undefined) continue;
    process.exitCode = 1;
    console.log(failure);
    if (!values["keep-going"]) process.exit();
  }
}
process.exit();
