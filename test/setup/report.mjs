import { existsSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { root } from "./root.mjs";
import { canPrepareSystemdRoot } from "./systemd-root.mjs";

/** Levels without which a full run proves nothing about a host, or about the simulator that stands for one. */
const required = ["sim", "lab", "crash", "long-run", "e2e"];

/**
 * Counts of vitest's JSON report, and what makes a full run worthless although no test failed. The systemd dom0 is a must
 * where it can be made, and a matter of the count of skipped tests elsewhere.
 */
export function readReport(file, { needsSystemd = canPrepareSystemdRoot() } = {}) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0, problems: ["vitest ended without a report"] };
  const { testResults } = JSON.parse(readFileSync(file, "utf8"));
  const tests = testResults.flatMap(testsOf);
  const count = (...statuses) => tests.filter(({ status }) => statuses.includes(status)).length;
  const levels = needsSystemd ? [...required, "systemd"] : required;
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
