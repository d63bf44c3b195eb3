import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.mjs";
import { digestOf, isStamped, writeStamp } from "./stamp.mjs";
import { runStep } from "./step.mjs";

const stamp = "provider";
const built = join(root, "provider/dist/index.js");

/** Builds the provider, unless the build of exactly these sources is there. */
export function buildProvider() {
  const sources = digestOf([...filesUnder("provider/src"), ...filesUnder("provider/scripts"), ...settings]);
  if (existsSync(built) && isStamped(stamp, stampOf(sources))) return;
  runStep("Building the provider", process.execPath, ["node_modules/typescript/bin/tsc", "-p", "provider"], {
    cwd: root,
  });
  runStep("Copying the program for dom0", process.execPath, ["provider/scripts/finish-build.mjs"], { cwd: root });
  writeStamp(stamp, stampOf(sources));
}

const settings = ["provider/package.json", "provider/tsconfig.json", "tsconfig.base.json", "package-lock.json"];

/** With the time of the output, so that a build made by hand in between is seen. */
function stampOf(sources) {
  return `${sources} ${statSync(built).mtimeMs}`;
}

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length));
}
