import { existsSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { root } from "./root.mjs";
import { canPrepareSystemdRoot } from "./systemd-root.mjs";

/** Levels without which a run proves nothing about a host, or about the simulator that stands for one. */
const required = ["sim", "lab", "e2e"];

/** Those that only a run of all tests has. */
const requiredOfAll = ["crash", "long-run"];

/**
 * Counts of vitest's JSON report, and what makes a run worthless although no test failed. With `all` the systemd dom0 is a must
 * where it can be made, and a matter of the count of skipped tests elsewhere.
 */
export function readReport(file, { all, needsSystemd = canPrepareSystemdRoot() }) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0, problems: ["vitest ended without a report"] };
  const { testResults } = JSON.parse(readFileSync(file, "utf8"));
  const tests = testResults.flatMap(testsOf);
  const count = (...statuses) => tests.filter(({ status }) => statuses.includes(status)).length;
  const levels = [...required, ...(all ? requiredOfAll : []), ...(all && needsSystemd ? ["systemd"] : [])];
  const problems = levels.flatMap((level) => problemsOf(level, tests));
  const passed = count("passed");
  const failed = count("failed");
  return { passed, failed, skipped: tests.length - passed - failed, problems };
}

/** A file that could not be loaded has no tests; it counts as one that failed. */
function testsOf({ name, status, assertionResults }) {
  const level = relative(join(root, "test"), name).split(sep)[0];
  if (assertionResults.length === 0) return status === "failed" ? [{ level, status }] : [];
  return assertionResults.map((result) => ({ level, status: result.status }));
}

function problemsOf(level, tests) {
  const own = tests.filter((test) => test.level === level);
  if (own.length === 0) return [`no ${level} test ran`];
  const left = own.filter(({ status }) => status !== "passed" && status !== "failed").length;
  return left === 0 ? [] : [`${left} of ${own.length} ${level} tests were skipped`];
}

/** What the tests wrote down as left out, counted by name; nothing where all of them ran. */
export function readLeftOut(file) {
  const names = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  if (names.length === 0) return [];
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const list = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => (count > 1 ? `${name} ${count}x` : name));
  return [`Left out ${names.length} legs; \`npm run test:all\` runs them too: ${list.join(", ")}.`];
}
