import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { INSIDE } from "./namespaces.ts";
import { run, SYSTEM_PATH } from "./shell.ts";

/** Whether a lab can be built here, and what to do if not. */
export interface LabProbe {
  readonly ok: boolean;
  /** Debian names. */
  readonly missingPackages: readonly string[];
  /** Packages without which only `cronSpeed: 60` is not available. */
  readonly missingOptionalPackages: readonly string[];
  /** Back ends of iptables that work here. */
  readonly iptables: ReadonlyArray<"legacy" | "nft">;
  /** One sentence saying what stands in the way. */
  readonly problem?: string;
  /** A command that removes the problem. */
  readonly fix?: string;
}

const PACKAGES: ReadonlyArray<{ readonly name: string; readonly commands: readonly string[] }> = [
  { name: "iproute2", commands: ["ip", "ss"] },
  { name: "iptables", commands: ["iptables-legacy", "iptables-nft"] },
  { name: "openssh-server", commands: ["sshd"] },
  { name: "openssh-client", commands: ["ssh-keygen"] },
  { name: "procps", commands: ["ps", "sysctl"] },
  { name: "util-linux", commands: ["unshare", "nsenter"] },
  { name: "mount", commands: ["mount"] },
  { name: "perl-base", commands: ["perl"] },
  { name: "cron", commands: ["cron"] },
  // The simulator makes its certificate with it.
  { name: "openssl", commands: ["openssl"] },
];

/** Looks for the packages, then tries in throw-away namespaces what the lab will do. */
export async function probeLab(searchPath = SYSTEM_PATH): Promise<LabProbe> {
  if (process.platform !== "linux") return blocked({ problem: `The lab needs Linux; this is ${process.platform}.` });
  const missing = PACKAGES.filter(({ commands }) => !commands.every((command) => isInstalled(command, searchPath))).map(
    ({ name }) => name,
  );
  if (missing.length > 0) {
    const sudo = process.getuid?.() === 0 ? "" : "sudo ";
    return blocked({
      missingPackages: missing,
      problem: `The lab needs ${missing.length === 1 ? "a package that is" : "packages that are"} not installed: ${missing.join(", ")}.`,
      fix: `${sudo}apt-get install --no-install-recommends ${missing.join(" ")}`,
    });
  }
  const rootless = process.getuid?.() !== 0;
  const base = await tryIn(searchPath, rootless, BASE);
  if (base !== undefined) return blocked(explain(base, rootless));
  const works = await Promise.all(
    (["nft", "legacy"] as const).map(async (backend) => ({
      backend,
      error: await tryIn(searchPath, rootless, `iptables-${backend} -t nat -S && iptables-${backend} -t filter -S`),
    })),
  );
  const iptables = works.filter(({ error }) => error === undefined).map(({ backend }) => backend);
  if (iptables.length === 0) {
    return blocked({
      problem: `iptables does not work in a network namespace: ${works[0]?.error}`,
      fix: "sudo modprobe -a nf_tables nft_compat iptable_nat iptable_filter",
    });
  }
  return { ...blocked({}), ok: true, iptables };
}

/** {@link startLab}'s precondition as an error. */
export async function requireLab(iptables: "legacy" | "nft"): Promise<void> {
  const probe = await probeLab();
  const hint = probe.fix === undefined ? "" : ` Try: ${probe.fix}`;
  if (!probe.ok) throw new Error(`${probe.problem}${hint}`);
  if (!probe.iptables.includes(iptables)) {
    throw new Error(
      `iptables-${iptables} does not work in a network namespace here; use ${probe.iptables.join(" or ")}, or: sudo modprobe -a iptable_nat iptable_filter`,
    );
  }
}

/** The library that makes cron's clock run faster. */
export function faketimeLibrary(): string {
  const found = findFaketime();
  if (found === undefined) throw new Error("cronSpeed 60 needs the package faketime: apt-get install faketime");
  return found;
}

function findFaketime(): string | undefined {
  return ["", ...readdirSync("/usr/lib")]
    .map((directory) => join("/usr/lib", directory, "faketime/libfaketime.so.1"))
    .find((path) => existsSync(path));
}

function isInstalled(command: string, searchPath: string): boolean {
  return searchPath.split(":").some((directory) => existsSync(join(directory, command)));
}

function blocked(found: Partial<LabProbe>): LabProbe {
  const missingOptionalPackages = process.platform === "linux" && findFaketime() === undefined ? ["faketime"] : [];
  return { ok: false, missingPackages: [], missingOptionalPackages, iptables: [], ...found };
}

/** Without the tmpfs the legacy back end fails for an ordinary user: it cannot open /run/xtables.lock. */
const BASE = `ip link add name probe0 type bridge && ip link add name probe1 type veth peer name probe2 && mkdir /run/usr &&
mount -t overlay overlay -o lowerdir=/run/usr:/usr/bin /usr/bin && mount -o remount,bind,ro / && mount -t sysfs sysfs /sys`;

async function tryIn(searchPath: string, rootless: boolean, script: string): Promise<string | undefined> {
  const shim = rootless ? ["perl", `${INSIDE}nosetgroups.pl`] : [];
  const unshare = [...shim, "unshare", rootless ? "-Urnm" : "-nm", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const result = await run([...unshare, "sh", "-c", `mount -t tmpfs tmpfs /run && ${script}`], {
    deadlineMs: 30_000,
    searchPath,
  });
  return result.status === 0 ? undefined : result.stderr.trim() || `status ${result.status}`;
}

function explain(error: string, rootless: boolean): { problem: string; fix: string } {
  if (!rootless) {
    return {
      problem: `Root may not make namespaces here (${error}); a container needs more privileges for that.`,
      fix: "docker run --privileged …",
    };
  }
  const knob = BLOCKING_KNOBS.find(({ path, value }) => readKnob(path) === value);
  if (knob !== undefined) {
    return {
      problem: `The kernel setting ${knob.name} = ${knob.value} keeps ordinary users from making namespaces.`,
      fix: knob.fix,
    };
  }
  return {
    problem: `An ordinary user may not make the lab's namespaces here (${error}).`,
    fix: "run the same command as root, with sudo",
  };
}

const BLOCKING_KNOBS = [
  knob("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
  knob("kernel.unprivileged_userns_clone", "0", "1"),
  knob("user.max_user_namespaces", "0", "15000"),
];

function knob(name: string, value: string, wanted: string) {
  return { name, value, path: `/proc/sys/${name.replaceAll(".", "/")}`, fix: `sudo sysctl -w ${name}=${wanted}` };
}

function readKnob(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}
