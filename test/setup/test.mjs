// `npm test` and `npm run test:all`: whatever is needed first, then the checks and the tests; with arguments only `vitest run <arguments>`.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { requireNode } from "./node-version.mjs";

requireNode();
const { setUp } = await import("./set-up.mjs");
const { runChecks } = await import("./checks.mjs");
const { readLeftOut, readReport } = await import("./report.mjs");
const { root } = await import("./root.mjs");

const chosen = process.argv.slice(2);
// Who names what is to run means all legs of it.
if (chosen.length > 0) process.env.XENNET_TESTS ??= "all";
const all = process.env.XENNET_TESTS === "all";

setUp({ forTests: true, withSystemd: all });
process.exit(chosen.length > 0 ? vitest(chosen) : await runAll());

async function runAll() {
  const checks = await runChecks();
  const file = join(root, "node_modules/.xennet-setup/report.json");
  const leftOut = join(root, "node_modules/.xennet-setup/left-out");
  for (const old of [file, leftOut]) rmSync(old, { force: true });
  process.env.XENNET_LEFT_OUT = leftOut;
  const status = vitest(["--reporter=default", "--reporter=json", `--outputFile.json=${file}`]);
  const tests = readReport(file, { all });
  for (const problem of tests.problems) console.log(`✘ ${problem}`);
  for (const line of readLeftOut(leftOut)) console.log(line);
  // Errors outside of any test are in vitest's exit status only.
  const stray = status !== 0 && tests.failed === 0 ? 1 : 0;
  const failed = checks.failed + tests.failed + tests.problems.length + stray;
  const skipped = tests.skipped === 0 ? "" : `, ${tests.skipped} skipped`;
  console.log(`${checks.passed + tests.passed} passed, ${failed} failed${skipped}`);
  return failed === 0 ? 0 : 1;
}

function vitest(args) {
  const argv = ["node_modules/vitest/vitest.mjs", "run", ...args];
  const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: "inherit" });
  return status ?? 1;
}
