import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { programText } from "../../../provider/src/dom0/program-text.ts";
import { legs } from "../../support/legs.ts";
import { STOCK_FIREWALL } from "../dom0-files.ts";
import type { IptablesKind } from "../iptables-kinds.ts";
import { type Awk, boot, files, readLint, type Shell, shebang, shutdown } from "./box-files.ts";

/** What a box is made of; every combination that a test asks for runs the same program. */
export interface BoxOptions {
  /** `legacy` by default. */
  readonly backend?: IptablesKind;
  readonly shell?: Shell;
  /** mawk by default, as busybox has its own. */
  readonly awk?: Awk;
  /** Whether the firewall of a stock dom0 is loaded. */
  readonly firewall?: "stock" | "none";
}

/** What a command inside the box gave. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One dom0 as the host program sees it: its own network, /etc, /run and process namespaces, gone with `close`. */
export interface Box {
  readonly hostUuid: string;
  readonly network: string;
  /** Runs shell text inside; fails unless it ends well. */
  sh(script: string): Promise<string>;
  /** Runs shell text inside, whatever it ends with. */
  try(script: string, input?: string): Promise<Output>;
  /** Runs the installed host program. */
  xennet(args: string, input?: string): Promise<Output>;
  install(): Promise<void>;
  /** The bridge of `network` appears, as when its first VM starts. */
  plug(bridge?: string): Promise<void>;
  unplug(bridge?: string): Promise<void>;
  reboot(): Promise<void>;
  close(): Promise<void>;
}

/** The program's text. */
export const program = (): string => programText().text;

/** The whole suite runs once more for each of other hosts: vitest.config.mts says with which shell, iptables and awk. */
const [usualShell = "dash", only, usualAwk] =
  (process.env["XENNET_BOX"]?.split(" ") as [Shell?, IptablesKind?, Awk?] | undefined) ?? [];

/** What tests that differ by iptables run on. */
export const backends = (): IptablesKind[] => (only === undefined ? legs<IptablesKind>("legacy", "nft") : [only]);

/** Builds a box; a new one costs about a tenth of a second. */
export async function makeBox(options: BoxOptions = {}): Promise<Box> {
  const shell = options.shell ?? usualShell;
  const awk = options.awk ?? usualAwk ?? (shell === "busybox" ? "busybox" : "mawk");
  const hostUuid = randomUUID();
  const network = randomUUID();
  const unshare = spawn("unshare", [...namespaces(), "sh", "-c", "echo up; exec sleep infinity"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => unshare.once("exit", () => resolve()));
  const pid = await childOf(unshare);

  const attempt = (script: string, input = ""): Promise<Output> => enter(pid, script, input);
  const sh = async (script: string, input = ""): Promise<string> => {
    const { code, stdout, stderr } = await attempt(script, input);
    if (code !== 0) throw new Error(`exit ${code} of: ${script}\n${stdout}${stderr}`);
    return stdout;
  };
  const text = (): string => program().replace(/^.*/, shebang[shell]);
  const firewall = options.firewall === "none" ? "" : STOCK_FIREWALL;
  const kind = options.backend ?? only ?? "legacy";

  // All at once: entering the namespaces costs as much as what is done there.
  await sh(`${files({ backend: kind, shell, awk }, hostUuid, network)}\n${boot(firewall)}\n${install}`, text());

  return {
    hostUuid,
    network,
    sh: (script) => sh(script),
    try: attempt,
    xennet: (args, input = "") => attempt(`/usr/local/sbin/xennet ${args}`, input),
    install: async () => {
      await sh(install, text());
    },
    plug: async (bridge = "xapi1") => {
      await sh(`ip link add ${bridge} type bridge && ip link set ${bridge} up`);
    },
    unplug: async (bridge = "xapi1") => {
      await sh(`ip link del ${bridge}`);
    },
    reboot: async () => {
      await sh(`${shutdown}\n${boot(firewall)}`);
    },
    close: async () => {
      const lint = awk === "lint" ? await sh(readLint) : "";
      unshare.kill("SIGKILL");
      await ended;
      if (lint !== "") throw new Error(`gawk --lint:\n${lint}`);
    },
  };
}

/** As the provider places the program. */
const install =
  "cat >/usr/local/sbin/xennet.new && chmod 700 /usr/local/sbin/xennet.new && mv /usr/local/sbin/xennet.new /usr/local/sbin/xennet";

function namespaces(): string[] {
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  return [...user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
}

/** The first process inside: unshare's only child, there once it has said so. */
async function childOf(unshare: ChildProcess): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    unshare.stdout?.once("data", () => resolve());
    unshare.once("error", reject);
    unshare.once("exit", (code) => reject(new Error(`unshare ended with ${code}: the box needs namespaces`)));
  });
  return Number(readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, "utf8").trim().split(" ")[0]);
}

function enter(pid: number, script: string, input: string): Promise<Output> {
  const user = process.getuid?.() === 0 ? [] : ["-U", "--preserve-credentials"];
  return new Promise((resolve, reject) => {
    const child = spawn("nsenter", ["-t", String(pid), ...user, "-n", "-m", "-p", "sh", "-c", script]);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code: code ?? (signal ? 128 : 1), stdout, stderr }));
    // A command that ends without reading its input closes the pipe first.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
