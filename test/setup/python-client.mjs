import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canInstallPackages, installPackages } from "./lab-packages.mjs";
import { root } from "./root.mjs";
import { runStep, SetUpError } from "./step.mjs";

const folder = join(root, ".cache/python-client");
const reason = join(root, ".cache/python-client-missing");
const requirements = join(root, "test/setup/python-requirements.txt");

/** Makes a virtual environment with the official Python client; where it cannot be had, its test says why. */
export function preparePythonClient() {
  mkdirSync(join(root, ".cache"), { recursive: true });
  rmSync(reason, { force: true });
  if (isComplete()) return;
  try {
    makeEnvironment();
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    rmSync(folder, { recursive: true, force: true });
    writeFileSync(reason, error.message);
    console.log(`  The test with the Python client will be skipped:\n${error.message}`);
  }
}

/** Asks the environment itself: it breaks when Python is upgraded or removed. */
function isComplete() {
  const [, version] = /^XenAPI==(\S+)/m.exec(readFileSync(requirements, "utf8"));
  const ask = "import importlib.metadata, XenAPI; print(importlib.metadata.version('XenAPI'))";
  const answer = spawnSync(join(folder, "bin/python"), ["-c", ask], { encoding: "utf8" });
  return answer.status === 0 && answer.stdout.trim() === version;
}

function makeEnvironment() {
  // `venv` alone is there without Debian's python3-venv, but cannot install pip then.
  const hasVenv = spawnSync("python3", ["-c", "import venv, ensurepip"]).status === 0;
  if (!hasVenv && canInstallPackages()) installPackages(["python3-venv"]);
  rmSync(folder, { recursive: true, force: true });
  runStep("Making a Python environment", "python3", ["-m", "venv", folder]);
  const install = ["-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
  runStep("Installing the Python client XenAPI", join(folder, "bin/python"), [...install, "-r", requirements]);
}
