import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { canInstallPackages, installPackages } from "./lab-packages.mjs";
import { root } from "./root.mjs";
import { runStep, SetUpError } from "./step.mjs";

const tools = [
  { name: "systemd-container", file: "/usr/bin/systemd-nspawn" },
  { name: "mmdebstrap", file: "/usr/bin/mmdebstrap" },
];

/** Whether this user and system can make and start the dom0 whose pid 1 is systemd: root on Debian or Ubuntu. */
export const canPrepareSystemdRoot = canInstallPackages;

/**
 * Makes the files of the dom0 whose pid 1 is systemd; only root can use them. They outlive the clone, because making them takes a minute and
 * a download. Where that fails, the tests that need it are skipped and say so, and the run counts as failed.
 */
export function prepareSystemdRoot() {
  if (!canPrepareSystemdRoot()) return;
  const recipe = readFileSync(join(root, "test/lab/systemd-root.json"));
  const { suite, packages } = JSON.parse(recipe);
  const folder = `/var/cache/pulumi-xennet/systemd-${createHash("sha256").update(recipe).digest("hex").slice(0, 12)}`;
  try {
    const missing = tools.filter(({ file }) => !existsSync(file));
    if (missing.length > 0) installPackages(missing.map(({ name }) => name));
    if (!existsSync(folder)) build(folder, suite, packages);
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.log(`${error.message}\nThe tests on a systemd dom0 will be skipped, and this run will count as failed.`);
  }
}

function build(folder, suite, packages) {
  mkdirSync(dirname(folder), { recursive: true });
  for (const name of readdirSync(dirname(folder))) {
    const builder = /\.unfinished-(\d+)$/.exec(name)?.[1];
    if (builder !== undefined && !existsSync(`/proc/${builder}`)) remove(join(dirname(folder), name));
  }
  const unfinished = `${folder}.unfinished-${process.pid}`;
  const excluded = ["doc", "man", "locale", "info"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const args = ["--variant=minbase", `--include=${packages.join(",")}`, ...excluded, suite, unfinished];
  runStep(`Making the systemd dom0's files under ${folder} from Debian packages`, "mmdebstrap", args);
  // Another run may have been faster.
  if (existsSync(folder)) remove(unfinished);
  else renameSync(unfinished, folder);
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true });
}
