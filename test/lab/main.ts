import { parseArgs } from "node:util";
import { profiles } from "../sim/profiles.ts";
import { type Host, startHost } from "./host.ts";
import type { LabOptions } from "./lab.ts";
import { launcherGone } from "./launcher.ts";

const PROFILES = Object.values(profiles).map(({ name }) => name);
const BACK_ENDS = ["legacy", "nft"] as const;
const USAGE = `Usage: npm run lab -- [--profile ${PROFILES.join("|")}] [--iptables ${BACK_ENDS.join("|")}]`;

/**
 * `npm run lab`: one line of JSON that says how to reach the host, then it stays until stdin ends, a signal comes or
 * whoever launched it is gone.
 */
async function main(args: readonly string[]): Promise<number> {
  let options: LabOptions;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const over = Promise.race([asksForEnd(), launcherGone()]);
  const host = await startHost(options);
  try {
    console.log(JSON.stringify(await describe(host)));
    await over;
  } finally {
    await host.close();
  }
  return 0;
}

function parseOptions(args: readonly string[]): LabOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { profile: { type: "string" }, iptables: { type: "string" } },
    allowPositionals: false,
  });
  return {
    profile: oneOf("--profile", values.profile ?? "xcp-ng-8.3", PROFILES),
    iptables: values.iptables === undefined ? undefined : oneOf("--iptables", values.iptables, BACK_ENDS),
  };
}

function oneOf<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`${option} is one of ${known.join(", ")}; got "${value}".`);
  return found;
}

function asksForEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
    process.stdin.on("end", () => resolve());
    process.stdin.on("error", () => resolve());
    process.stdin.resume();
  });
}

async function describe({ lab, xapi, env, simulator }: Host) {
  const { host, port, user, privateKeyFile, hostKey } = lab.ssh;
  return {
    env,
    xapi,
    ssh: { host, port, user, privateKeyFile, hostKey },
    lan: { enter: lab.enterLan },
    dom0: { enter: lab.enterDom0 },
    vms: await vmsOf(simulator),
  };
}

async function vmsOf(simulator: Host["simulator"]) {
  const records = await simulator.admin.call<Record<string, VmRecord>>("VM.get_all_records");
  return Object.values(records)
    .filter(({ is_a_template, is_control_domain }) => !is_a_template && !is_control_domain)
    .map(({ uuid, name_label }) => ({ uuid, name: name_label }));
}

interface VmRecord {
  readonly uuid: string;
  readonly name_label: string;
  readonly is_a_template: boolean;
  readonly is_control_domain: boolean;
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
