import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What `npm run lab` prints. */
export interface LabDescription {
  readonly env: Readonly<Record<string, string>>;
  readonly xapi: {
    readonly url: string;
    readonly user: string;
    readonly password: string;
    readonly fingerprint: string;
  };
  readonly ssh: { host: string; port: number; user: string; privateKeyFile: string; hostKey: string };
  readonly lan: { readonly enter: readonly string[] };
  readonly dom0: { readonly enter: readonly string[] };
  readonly vms: ReadonlyArray<{ readonly uuid: string; readonly name: string }>;
}

/** A user who starts a lab. */
export interface LabUser {
  readonly name: string;
  /** Puts a command into the user's hands. */
  readonly prefix: readonly string[];
  /** Where the user finds this checkout. */
  readonly checkout: string;
}

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));

/** Whoever runs the tests and, when that is root, an ordinary user without a passwd entry as well. */
export function labUsers(): [LabUser, ...LabUser[]] {
  if (process.getuid?.() !== 0) return [{ name: "an ordinary user", prefix: [], checkout: CHECKOUT }];
  // Bound to /mnt in a mount namespace of its own: the checkout may lie in a folder that only root can enter.
  const become = 'mount --bind "$0" /mnt && exec setpriv --reuid 4242 --regid 4242 --clear-groups "$@"';
  return [
    { name: "root", prefix: [], checkout: CHECKOUT },
    { name: "an ordinary user", prefix: ["unshare", "-m", "sh", "-c", become, CHECKOUT], checkout: "/mnt" },
  ];
}

/** Starts what `npm run lab` starts, with a folder of its own for temporary files. */
export function spawnLab({ prefix, checkout }: LabUser, args: readonly string[], tmpdir: string): ChildProcess {
  const main = [process.execPath, "--import", "tsx", "test/lab/main.ts", ...args];
  const [program = "", ...rest] = [...prefix, "sh", "-c", 'cd "$0" && exec "$@"', checkout, ...main];
  return spawn(program, rest, { stdio: "pipe", env: { ...process.env, TMPDIR: tmpdir } });
}

/** Starts `npm run lab` itself, as the user who runs the tests, as the leader of a process group like a shell does. */
export function spawnNpmRunLab(tmpdir: string): ChildProcess {
  const env = { ...process.env, TMPDIR: tmpdir };
  return spawn("npm", ["run", "--silent", "lab"], { detached: true, stdio: "pipe", cwd: CHECKOUT, env });
}

/** The first line of its output; an error with its stderr if it ends before. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let complaints = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaints += text;
    });
    if (child.stdout) createInterface({ input: child.stdout }).once("line", resolve);
    child.once("close", (code) => reject(new Error(`ended with status ${code}: ${complaints}`)));
  });
}

/** Pids of all descendants of a process, itself included. */
export function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const stat = /^\d+$/.test(entry) ? attempt(() => readFileSync(`/proc/${entry}/stat`, "utf8")) : undefined;
    // The name in parentheses may hold anything.
    const parent = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    if (parent !== undefined) parents.set(Number(entry), Number(parent));
  }
  const family = [pid];
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.push(child);
  }
  return family;
}

/** A process may end between two looks. */
function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
