import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CONFIGURATIONS } from "./configurations.ts";
import { longRun } from "./long-run.ts";
import { addUp, newStatistics, type Statistics, summary } from "./statistics.ts";

// npm run --silent long-run -- --operations 100000 --seed 1 [--host "xcp-ng-8.3 nft"] [--keep-going] [--shrink-seconds 600]
const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    host: { type: "string" },
    "keep-going": { type: "boolean", default: false },
    "shrink-seconds": { type: "string", default: "600" },
  },
});
const [seed, operations] = [numberOf(values.seed, "--seed"), numberOf(values.operations, "--operations")];
const shrinkMs = 1000 * numberOf(values["shrink-seconds"], "--shrink-seconds");
/** Sequences of one host never have numbers of another's. */
const SEEDS_A_HOST = 1_000_000;

process.exitCode = await (values.host === undefined ? sideBySide() : oneHost(values.host));
process.disconnect?.();
process.exit();

/** Each host in a process of its own, all at once: they mostly wait. */
async function sideBySide(): Promise<number> {
  const began = performance.now();
  const kinds = Object.keys(CONFIGURATIONS);
  const all = newStatistics();
  const each = Math.ceil(operations / kinds.length);
  console.log(`seed ${seed}, ${each} operations on each of ${kinds.join(", ")}`);
  const statuses = await Promise.all(kinds.map((kind, index) => processOf(kind, index, each, all)));
  const failed = statuses.filter((status) => status !== 0).length;
  const seconds = (performance.now() - began) / 1000;
  console.log(`all hosts, seed ${seed}: ${summary(all)}`);
  console.log(
    `${seconds.toFixed(0)} s; ${failed === 0 ? "nothing went wrong" : `something went wrong on ${failed} of them`}`,
  );
  return failed === 0 ? 0 : 1;
}

async function processOf(kind: string, index: number, each: number, all: Statistics): Promise<number> {
  const args = ["--host", kind, "--operations", String(each), "--seed", String(seed + SEEDS_A_HOST * index)];
  args.push("--shrink-seconds", values["shrink-seconds"], ...(values["keep-going"] ? ["--keep-going"] : []));
  const child = fork(fileURLToPath(import.meta.url), args, { serialization: "advanced" });
  child.on("message", (statistics) => addUp(all, statistics as Statistics));
  return new Promise((resolve) => child.once("exit", (status) => resolve(status ?? 1)));
}

async function oneHost(configuration: string): Promise<number> {
  const began = performance.now();
  const statistics = newStatistics();
  let [next, failures] = [seed, 0];
  while (statistics.operations < operations && (failures === 0 || values["keep-going"])) {
    const left = operations - statistics.operations;
    const options = { configuration, operations: left, seed: next, shrinkMs, statistics, print: console.log };
    const result = await longRun(options);
    next = result.seed;
    if (result.failure === undefined) continue;
    failures += 1;
    console.log(`${configuration}: ${result.failure.text}`);
  }
  const ms = (performance.now() - began) / Math.max(1, statistics.operations);
  const seeds = `seeds ${seed} to ${next - 1}`;
  console.log(
    `${configuration}, ${seeds}: ${summary(statistics)}\n${ms.toFixed(0)} ms an operation, ${failures} sequences went wrong`,
  );
  await new Promise<void>((resolve) => (process.send ? process.send(statistics, () => resolve()) : resolve()));
  return failures === 0 ? 0 : 1;
}

function numberOf(text: string, option: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`${option} is a whole number, not ${text}`);
}
