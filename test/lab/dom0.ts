import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Agent, startAgent } from "./agent.ts";
import { childOf, LAB_DIRECTORY, type LanNamespaces } from "./namespaces.ts";
import { run, runScript, SYSTEM_PATH } from "./shell.ts";
import { BOOTED } from "./systemd-files.ts";

/** Address of dom0 on the LAN. */
export const DOM0_ADDRESS = "192.168.1.10";

const BOOT_DEADLINE_MS = 60_000;

/** Unix sockets in the lab's folder to which dom0's two web ports lead. */
export const PORT_SOCKETS = { page: "page.sock", xapi: "xapi.sock" } as const;

const PORTS = [
  { port: 80, socket: PORT_SOCKETS.page },
  { port: 443, socket: PORT_SOCKETS.xapi },
];

/** A dom0 that can be switched on and off over the same disk. */
export interface Dom0 {
  powerOn(): Promise<void>;
  /** `orderly` lets the init scripts stop; without it the network is dead before anything in dom0 notices. */
  powerOff(how: "orderly" | "cut"): Promise<void>;
}

/** What runs as dom0's pid 1. `faketime` is the library that makes cron's clock run ×60, `packages` the folder with systemd's files. */
export type Init =
  | { readonly kind: "sysvinit"; readonly faketime: string | undefined }
  | { readonly kind: "systemd"; readonly packages: string; readonly controlGroup: string };

/** Prepares a dom0 over the disk in the lab's folder. */
export function createDom0(lan: LanNamespaces, init: Init): Dom0 {
  let machine: ChildProcess | undefined;
  let ports: Agent | undefined;
  return {
    powerOn: async () => {
      machine = await boot(lan, init);
      ports = await startAgent(lan.enterNetwork("dom0"));
      for (const { port, socket } of PORTS) {
        await ports.ask("expose", { host: "0.0.0.0", port, path: `${LAB_DIRECTORY}/${socket}` });
      }
    },
    powerOff: async (how) => {
      if (how === "orderly") await shutDown(lan, init, machine);
      else await runScript(lan.enter, "ip link set lan-dom0 down");
      await ports?.stop();
      if (machine !== undefined) await unplug(machine, init);
      machine = undefined;
      await runScript(lan.enter, DISMANTLE);
    },
  };
}

async function shutDown(lan: LanNamespaces, init: Init, machine: ChildProcess | undefined): Promise<void> {
  if (init.kind === "sysvinit") {
    await run([...lan.enterDom0, "bash", "-s"], { input: STOP_SERVICES });
    return;
  }
  await run([...lan.enterDom0, "systemctl", "--no-block", "reboot"]);
  if (machine !== undefined) await gone(machine);
}

/** Starts pid 1 of a new dom0; resolves when it has booted. */
async function boot(lan: LanNamespaces, init: Init): Promise<ChildProcess> {
  rmSync(`${lan.directory}/disk${BOOTED}`, { force: true });
  const script = `ip netns add dom0; exec ${init.kind === "systemd" ? bootSystemd(init) : bootSysvinit(init)}`;
  const [program = "", ...args] = [...lan.enter, "bash", "--norc", "-c", script];
  const machine = spawn(program, args, { detached: true, stdio: "pipe", env: { PATH: SYSTEM_PATH } });
  // Unplugging what has just gone off by itself is no error.
  machine.stdin.on("error", () => {});
  let said = "";
  for (const stream of [machine.stdout, machine.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const hasBooted = () => said.includes("booted\n") || existsSync(`${lan.directory}/disk${BOOTED}`);
  const failed = new Promise<never>((_, reject) => machine.once("error", reject));
  const deadline = Date.now() + BOOT_DEADLINE_MS;
  while (!hasBooted()) {
    if (isGone(machine) || Date.now() > deadline) {
      await unplug(machine, init);
      const log = `${lan.directory}/disk/var/log/boot.log`;
      const logged = existsSync(log) ? readFileSync(log, "utf8") : "";
      throw new Error(`dom0 ended, or did not boot within ${BOOT_DEADLINE_MS / 1000} s: ${said}${logged}`);
    }
    await Promise.race([delay(5), failed]);
  }
  lan.dom0Is(childOf(childOf(machine.pid)));
  return machine;
}

const bootSysvinit = ({ faketime = "" }: Init & { kind: "sysvinit" }) =>
  `nsenter --net=/run/netns/dom0 unshare -mpu --fork --kill-child bash ${LAB_DIRECTORY}/inside/dom0-boot.sh ${LAB_DIRECTORY} '${faketime}'`;

const bootSystemd = ({ packages, controlGroup }: Init & { kind: "systemd" }) =>
  `unshare -m bash ${LAB_DIRECTORY}/inside/dom0-systemd.sh ${LAB_DIRECTORY} ${packages} ${controlGroup}`;

/** The end of pid 1 and of everything in dom0 with it, at once: the boot script notices the end of its input, systemd is killed. */
async function unplug(machine: ChildProcess, init: Init): Promise<void> {
  if (isGone(machine)) return;
  if (init.kind === "systemd") process.kill(childOf(childOf(machine.pid)), "SIGKILL");
  machine.stdin?.end();
  await gone(machine);
}

const isGone = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

async function gone(machine: ChildProcess): Promise<void> {
  if (!isGone(machine)) await once(machine, "close");
}

/** As rc does at shutdown: stops what says that it runs, in the order of the stop numbers; then ends the rest. */
const STOP_SERVICES = `
grep -sHoE '^# chkconfig: *[0-9]*3[0-9]* +[0-9]+ +[0-9]+' /etc/init.d/* | sed -E 's/^([^:]*):.* ([0-9]+)$/\\2 \\1/' |
  sort -n | while read -r _ script; do
    [ ! -e "/var/lock/subsys/\${script##*/}" ] || timeout 60 "$script" stop </dev/null >>/var/log/boot.log 2>&1
  done
kill -TERM -1`;

const DISMANTLE = `
ip netns del dom0
# The kernel takes the link away by itself, in its own time, once the namespace is gone: only one that stays is an error.
ip link del lan-dom0 2>/dev/null || ! ip link show lan-dom0 >/dev/null 2>&1
`;
