import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { type Agent, startAgent } from "./agent.ts";
import { childOf, LAB_DIRECTORY, type LanNamespaces } from "./namespaces.ts";
import { run, runScript, SYSTEM_PATH } from "./shell.ts";

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

/** Prepares a dom0 over the disk in the lab's folder; `faketime` is the library that makes cron's clock run ×60. */
export function createDom0(lan: LanNamespaces, faketime: string | undefined): Dom0 {
  let machine: ChildProcess | undefined;
  let ports: Agent | undefined;
  return {
    powerOn: async () => {
      machine = await boot(lan, faketime);
      ports = await startAgent(lan.enterNetwork("dom0"));
      for (const { port, socket } of PORTS) {
        await ports.ask("expose", { host: "0.0.0.0", port, path: `${LAB_DIRECTORY}/${socket}` });
      }
    },
    powerOff: async (how) => {
      if (how === "orderly") await run([...lan.enterDom0, "bash", "-s"], { input: STOP_SERVICES });
      else await runScript(lan.enter, "ip link set lan-dom0 down");
      await ports?.stop();
      if (machine !== undefined) await unplug(machine);
      machine = undefined;
      await runScript(lan.enter, DISMANTLE);
    },
  };
}

/** Starts pid 1 of a new dom0; resolves when it says that it has booted. */
function boot(lan: LanNamespaces, faketime = ""): Promise<ChildProcess> {
  const init = `bash ${LAB_DIRECTORY}/inside/dom0-boot.sh ${LAB_DIRECTORY} '${faketime}'`;
  const script = `ip netns add dom0; exec nsenter --net=/run/netns/dom0 unshare -mpu --fork --kill-child ${init}`;
  const [program = "", ...args] = [...lan.enter, "bash", "--norc", "-c", script];
  const machine = spawn(program, args, { detached: true, stdio: "pipe", env: { PATH: SYSTEM_PATH } });
  // Unplugging what has just gone off by itself is no error.
  machine.stdin.on("error", () => {});
  return new Promise((resolve, reject) => {
    let complaints = "";
    const deadline = setTimeout(() => machine.stdin.end(), BOOT_DEADLINE_MS);
    machine.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaints += text;
    });
    machine.stdout.once("data", () => {
      clearTimeout(deadline);
      machine.removeAllListeners("close");
      lan.dom0Is(childOf(childOf(machine.pid)));
      resolve(machine);
    });
    machine.once("error", reject);
    machine.once("close", () => {
      clearTimeout(deadline);
      const log = readFileSync(`${lan.directory}/disk/var/log/boot.log`, "utf8");
      reject(new Error(`dom0 ended, or did not boot within ${BOOT_DEADLINE_MS / 1000} s: ${complaints}${log}`));
    });
  });
}

function unplug(machine: ChildProcess): Promise<void> {
  if (machine.exitCode !== null || machine.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    machine.once("close", () => resolve());
    machine.stdin?.end();
  });
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
