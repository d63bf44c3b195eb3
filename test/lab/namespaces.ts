import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SYSTEM_PATH } from "./shell.ts";

/** Scripts that run inside the namespaces. */
export const INSIDE = fileURLToPath(new URL("inside/", import.meta.url));

/** The lab's folder as processes in its namespaces see it. */
export const LAB_DIRECTORY = "/run/xennet-lab";

/**
 * The outer namespaces, which play the LAN. They hold all of the lab's files in a tmpfs of their own, and end with the
 * process that owns the lab, even by SIGKILL: pid 1 in there ends at the end of its stdin.
 */
export interface LanNamespaces {
  readonly rootless: boolean;
  /** The lab's folder as the workstation sees it. */
  readonly directory: string;
  readonly enter: readonly string[];
  /** Prefix for the LAN's processes and files, but the network namespace `name`. */
  enterNetwork(name: string): readonly string[];
  /** Prefix for dom0's namespaces; they are looked up when a command runs, so it stays valid over reboots. */
  readonly enterDom0: readonly string[];
  /** File of dom0's pid namespace. */
  readonly dom0PidNamespace: string;
  /** Says which process is dom0's pid 1 now. */
  dom0Is(pid: number): void;
  close(): Promise<void>;
}

const KINDS = [
  { option: "mount", file: "mnt" },
  { option: "pid", file: "pid_for_children" },
  { option: "uts", file: "uts" },
  { option: "net", file: "net" },
];

const SETUP = `
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns ${LAB_DIRECTORY}
touch /run/netns/lan
mount --bind /proc/self/ns/net /run/netns/lan
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables
ip -batch - <<'BATCH'
link set lo up
link add name lan0 type bridge
addr add 192.168.1.50/24 dev lan0
addr add 192.168.1.60/24 dev lan0
link set lan0 up
BATCH
# While dom0 is down a connect fails after 0.1 s instead of 3 s.
echo 100 > /proc/sys/net/ipv4/neigh/lan0/retrans_time_ms
echo 1 > /proc/sys/net/ipv4/neigh/lan0/mcast_solicit
`;

/** Makes the LAN's namespaces: without privileges, or as root when the caller is root. */
export async function openNamespaces(): Promise<LanNamespaces> {
  const rootless = process.getuid?.() !== 0;
  const shim = rootless ? ["perl", `${INSIDE}nosetgroups.pl`] : [];
  const holder = spawnHolder([...shim, "unshare", ...(rootless ? ["-Ur"] : []), "-nm", "--pid", "--fork"]);
  await ready(holder);
  const pid = childOf(holder.pid);
  const files = `/proc/${pid}/root`;
  const user = rootless ? [`--user=/proc/${pid}/ns/user`, "--preserve-credentials"] : [];
  const nsenter = [...shim, "nsenter", ...user];
  const lan = [`--mount=/proc/${pid}/ns/mnt`, `--pid=/proc/${pid}/ns/pid_for_children`];
  const directory = files + LAB_DIRECTORY;
  mkdirSync(`${directory}/inside`);
  cpSync(INSIDE, `${directory}/inside`, { recursive: true });
  return {
    rootless,
    directory,
    enter: [...nsenter, ...lan, `--net=/proc/${pid}/ns/net`, "--"],
    enterNetwork: (name) => [...nsenter, ...lan, `--net=${files}/run/netns/${name}`, "--"],
    enterDom0: [...nsenter, ...KINDS.map((kind) => `--${kind.option}=${directory}/dom0/${kind.file}`), "--"],
    dom0PidNamespace: `${directory}/dom0/pid_for_children`,
    // A link, not a bind mount: util-linux 2.38's `unshare --mount=<file>` fails now and then with EINVAL.
    dom0Is: (init) => {
      rmSync(`${directory}/dom0`, { force: true });
      symlinkSync(`/proc/${init}/ns`, `${directory}/dom0`);
    },
    close: () => ended(holder),
  };
}

/** The only child of a process. */
export function childOf(pid: number | undefined): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  if (!/^\d+$/.test(children))
    throw new Error(`Lab: process ${pid} should have one child, it has: ${children || "none"}`);
  return Number(children);
}

function spawnHolder(unshare: readonly string[]): ChildProcess {
  const script = `set -e${SETUP}echo ready; while read -r _; do :; done`;
  const [program = "", ...args] = [...unshare, "--kill-child", "--mount-proc", "bash", "--norc", "-c", script];
  // Detached: Ctrl-C at the terminal is for the owner, who then ends the lab.
  return spawn(program, args, { detached: true, stdio: ["pipe", "pipe", "pipe"], env: { PATH: SYSTEM_PATH } });
}

function ready(holder: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let complaints = "";
    holder.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaints += text;
    });
    // Closing what has just ended by itself is no error.
    holder.stdin?.on("error", () => {});
    holder.stdout?.once("data", () => resolve());
    holder.once("error", reject);
    holder.once("close", () => reject(new Error(`The lab's namespaces could not be made: ${complaints.trim()}`)));
  });
}

function ended(holder: ChildProcess): Promise<void> {
  if (holder.exitCode !== null || holder.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    holder.once("close", () => resolve());
    holder.stdin?.end();
  });
}
