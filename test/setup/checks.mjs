import { spawnSync } from "node:child_process";
import { npmCommand } from "./npm.mjs";
import { root } from "./root.mjs";

/** What can be said without running anything, the quickest first: scripts of package.json. */
const checks = [
  { script: "check", title: "format and lint" },
  { script: "types", title: "types" },
  { script: "lint:imports", title: "direction of imports" },
  { script: "lint:unused", title: "unused files, exports and dependencies" },
];

/** Runs every check; one that fails shows its output. */
export function runChecks() {
  const outcomes = checks.map(({ script, title }) => {
    const npm = npmCommand(["run", "--silent", script]);
    const env = { ...process.env, NO_COLOR: "1" };
    const { status, stdout, stderr } = spawnSync(npm.command, npm.args, { cwd: root, encoding: "utf8", env });
    const passed = status === 0;
    console.log(`${passed ? "✔" : "✘"} ${title} (npm run ${script})`);
    if (!passed) console.log(`${stdout}${stderr}`.trimEnd());
    return passed;
  });
  const passed = outcomes.filter((outcome) => outcome).length;
  return { passed, failed: outcomes.length - passed, skipped: 0 };
}
