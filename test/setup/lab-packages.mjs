import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { root } from "./root.mjs";
import { runStep, SetUpError } from "./step.mjs";

/** What the tests need beyond the lab's own packages. */
const testPackages = [
  // The host program is tried with every awk that a host may have; installing these changes what `awk` means, so tests name the one they mean.
  { name: "mawk", files: ["/usr/bin/mawk"] },
  { name: "gawk", files: ["/usr/bin/gawk"] },
  { name: "original-awk", files: ["/usr/bin/original-awk"] },
  { name: "busybox", files: ["/bin/busybox", "/usr/bin/busybox"] },
  { name: "nftables", files: ["/usr/sbin/nft", "/sbin/nft"] },
  { name: "shellcheck", files: ["/usr/bin/shellcheck"] },
];

/** Makes sure that the lab can run here: root on Debian or Ubuntu installs what is missing, others are told how. */
export function prepareLab({ forTests }) {
  const first = probe();
  const missing = [...first.missingPackages, ...(forTests ? missingForTests(first) : [])];
  if (missing.length === 0) return requireWorking(first);
  if (process.platform !== "linux" || !existsSync("/usr/bin/apt-get")) {
    throw new SetUpError(
      `The lab needs Linux with what these Debian packages hold: ${missing.join(" ")}. There is no apt-get here, so please install them by hand.`,
    );
  }
  if (process.getuid() !== 0) {
    throw new SetUpError(
      `Packages are missing. Please run this, then the same command again:\n\n  sudo apt-get install -y --no-install-recommends ${missing.join(" ")}\n`,
    );
  }
  installPackages(missing);
  requireWorking(probe());
}

function probe() {
  const result = spawnSync(process.execPath, ["--import", "tsx", "test/setup/probe-lab.ts"], {
    cwd: root,
    encoding: "utf8",
  });
  if (result.status !== 0) throw new SetUpError(`The lab could not be probed: ${result.stderr}`);
  return JSON.parse(result.stdout);
}

function missingForTests({ missingOptionalPackages }) {
  const missing = testPackages.filter(({ files }) => !files.some((file) => existsSync(file)));
  return [...missingOptionalPackages, ...missing.map(({ name }) => name)];
}

function requireWorking({ ok, problem, fix }) {
  if (!ok) throw new SetUpError(`${problem}${fix === undefined ? "" : `\nThis helps: ${fix}`}`);
}

/** Whether this is root on Debian or Ubuntu. */
export function canInstallPackages() {
  return process.platform === "linux" && process.getuid() === 0 && existsSync("/usr/bin/apt-get");
}

/** Installs Debian packages. */
export function installPackages(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  runStep("Reading Debian's package lists (apt-get update)", "apt-get", ["update"], { env });
  runStep(
    `Installing Debian packages: ${packages.join(" ")}`,
    "apt-get",
    ["install", "-y", "--no-install-recommends", ...packages],
    { env },
  );
}
