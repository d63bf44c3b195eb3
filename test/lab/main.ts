import { type Host, startHost } from "./host.ts";
import type { LabOptions } from "./lab.ts";
import { parseLabOptions, usageOf } from "./lab-options.ts";
import { launcherGone } from "./launcher.ts";

/**
 * `npm run lab`: one line of JSON that says how to reach the host, then it stays until stdin ends, a signal comes or
 * whoever launched it is gone.
 */
async function main(args: readonly string[]): Promise<number> {
  let options: LabOptions;
  try {
    options = parseLabOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n${usageOf("npm run lab")}`);
    return 2;
  }
  const over = Promise.race([asksForEnd(), launcherGone()]);
  const host = await startHost(options);
  try {
    await setGuestsUp(host);
    console.log(JSON.stringify(await describe(host)));
    await over;
  } finally {
    await host.close();
  }
  return 0;
}

function asksForEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
    process.stdin.on("end", () => resolve());
    process.stdin.on("error", () => resolve());
    process.stdin.resume();
  });
}

/** Step 7 of the how-to of 2011 as both guests' administrator did it; what a stack declares as `ipv4` goes first where XAPI can set it. */
async function setGuestsUp({ lab, simulator }: Host): Promise<void> {
  for (const { name } of await vmsOf(simulator)) {
    const number = /\d+$/.exec(name)?.[0] ?? "1";
    await lab.setGuestAddress(name, `192.168.100.1${number}/24`, "192.168.100.1");
  }
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
