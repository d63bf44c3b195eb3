import { setTimeout as delay } from "node:timers/promises";
import { type Engine, selectEngine } from "../engine/engine.ts";
import { traitsOf } from "../lab/dom0-traits.ts";
import { type Host, startHost } from "../lab/host.ts";
import type { LabOptions } from "../lab/lab.ts";
import { parseLabOptions, usageOf } from "../lab/lab-options.ts";
import { administratorOf } from "./administrator.ts";
import { tellStory } from "./chapters.ts";
import { copyExample, type Project } from "./project.ts";
import { Proofs } from "./proofs.ts";
import { Pulumi } from "./pulumi.ts";

const CLOSING_MS = 10_000;
const SECRET = new Map([
  ["XENNET_PASSWORD", "xennet:password"],
  ["XENNET_SSH_PRIVATE_KEY", "xennet:sshPrivateKey"],
]);

/** `npm start`: the whole path on a host made of namespaces. Answers the exit status. */
async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined) return 2;
  const signal = abortOnSignals();
  const proofs = new Proofs();
  const engine = selectEngine();
  proofs.say("Two web servers behind one address, from preview to destroy.");
  proofs.say(`Engine: ${engine.name}`);
  const project = copyExample();
  try {
    await withHost(options, proofs, (host) =>
      showAll({ host, isOld: traitsOf(options).old, engine, project, proofs, signal }),
    );
  } catch (error) {
    if (signal.aborted) proofs.say("\nInterrupted; everything is being removed.");
    else proofs.prove(false, "the tour goes on to its end", error instanceof Error ? error.message : String(error));
  } finally {
    project.remove();
  }
  if (signal.aborted) return 130;
  return proofs.total() ? 0 : 1;
}

/** Undefined, and said why, when they are none. */
function optionsOf(args: readonly string[]): LabOptions | undefined {
  try {
    return parseLabOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n${usageOf("npm start")}`);
    return undefined;
  }
}

interface Stage {
  readonly host: Host;
  readonly isOld: boolean;
  readonly engine: Engine;
  readonly project: Project;
  readonly proofs: Proofs;
  readonly signal: AbortSignal;
}

async function showAll({ host, isOld, engine, project, proofs, signal }: Stage): Promise<void> {
  signal.throwIfAborted();
  const stack = await engine.openStack({
    projectDir: project.folder,
    stackName: "tour",
    stateDir: project.stateFolder,
    env: {
      ...Object.fromEntries(Object.entries(host.env).filter(([key]) => !SECRET.has(key))),
      // Pulumi's TypeScript cache would stay in the temp folder otherwise.
      TS_NODE_CACHE_DIRECTORY: project.cacheFolder,
    },
  });
  for (const [variable, key] of SECRET) await stack.setConfig(key, host.env[variable] ?? "", { secret: true });
  const pulumi = new Pulumi(stack, proofs, signal);
  await tellStory({ host, isOld, pulumi, project, administrator: administratorOf(host), proofs, signal });
}

async function withHost(options: LabOptions, proofs: Proofs, use: (host: Host) => Promise<void>): Promise<void> {
  const started = Date.now();
  const host = await startHost(options);
  const how = host.lab.rootless ? "without privileges" : "as root";
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  proofs.say(
    `Host: dom0, a LAN and two VMs made of Linux namespaces, ${how}, with a XAPI simulator of ${options.profile} (${seconds} s)`,
  );
  try {
    await use(host);
  } finally {
    // Ctrl-C reaches the lab's processes too, and its end may then wait for what is gone; it ends with this process.
    const closing = host.close().catch((error: Error) => proofs.say(`Closing the lab: ${error.message}`));
    await Promise.race([closing, delay(CLOSING_MS, undefined, { ref: false })]);
  }
}

/** The first signal lets the running step end and everything be removed. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => controller.abort());
  return controller.signal;
}

process.exit(await main());
