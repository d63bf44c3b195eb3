import { spawn } from "node:child_process";
import { npmCommand } from "./npm.mjs";
import { root } from "./root.mjs";

/** What can be said without running anything, the quickest first: scripts of package.json. */
const checks = [
  { script: "check", title: "format and lint" },
  { script: "types", title: "types" },
  { script: "lint:imports", title: "direction of imports" },
  { script: "lint:unused", title: "unused files, exports and dependencies" },
];

/** Runs every check, all at once; one that fails shows its output. */
export async function runChecks() {
  const running = checks.map((check) => run(check));
  let passed = 0;
  for (const [at, { script, title }] of checks.entries()) {
    const { status, output } = await running[at];
    console.log(`${status === 0 ? "✔" : "✘"} ${title} (npm run ${script})`);
    if (status === 0) passed += 1;
    else console.log(output.trimEnd());
  }
  return { passed, failed: checks.length - passed, skipped: 0 };
}

function run({ script }) {
  const npm = npmCommand(["run", "--silent", script]);
  const env = { ...process.env, NO_COLOR: "1" };
  const child = spawn(npm.command, npm.args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ status: 1, output: error.message }));
    child.once("close", (status) => resolve({ status, output }));
  });
}
