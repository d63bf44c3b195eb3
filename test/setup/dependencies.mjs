import { npmCommand } from "./npm.mjs";
import { root } from "./root.mjs";
import { digestOf, isStamped, writeStamp } from "./stamp.mjs";
import { runStep } from "./step.mjs";

const stamp = "dependencies";

/** Installs the locked npm packages, unless they are there. */
export function installDependencies() {
  const wanted = `${digestOf(["package-lock.json"])} ${process.platform}-${process.arch}`;
  if (isStamped(stamp, wanted)) return;
  const npm = npmCommand(["ci", "--no-fund", "--no-audit"]);
  runStep("Installing the npm packages", npm.command, npm.args, { cwd: root });
  writeStamp(stamp, wanted);
}
