import { setTimeout as wait } from "node:timers/promises";
import type { Host } from "../lab/host.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { countDom0Steps, type Dom0Steps } from "./dom0-steps.ts";
import { endState } from "./end-state.ts";
import { destroy, preview, type State, up } from "./mini-engine.ts";
import type { Command, Point, Undisturbed } from "./points.ts";
import { type ProviderLife, startProvider } from "./provider-life.ts";
import type { Scenario } from "./scenarios.ts";

/** What an undisturbed life of a scenario does and leaves, one entry a command. */
export type Reference = Readonly<Record<Command, Undisturbed & { readonly end: readonly string[] }>>;

/** A host on which a scenario is tried again and again. */
export interface TrialHost {
  readonly host: Host;
  readonly steps: Dom0Steps;
  readonly before: Awaited<ReturnType<typeof captureHost>>;
}

export async function prepareTrials(host: Host, scenario: Scenario): Promise<TrialHost> {
  await scenario.prepare(host);
  return { host, steps: await countDom0Steps(host.lab), before: await captureHost(host.lab, host.simulator) };
}

/** Up, update and destroy without a fault, each by a process of its own. */
export async function undisturbed(on: TrialHost, scenario: Scenario): Promise<Reference> {
  const state: State = new Map();
  const observe = async (command: Command) => {
    const { host, steps } = on;
    const already = host.simulator.calls.length;
    steps.arm();
    await withProvider(host, (life) => run(command, life, state, scenario));
    const calls = host.simulator.calls.slice(already).map(({ method, writing }) => ({ method, writing }));
    return { calls, steps: steps.seen(), end: await endState(host, state) };
  };
  const reference = { up: await observe("up"), update: await observe("update"), destroy: await observe("destroy") };
  const left = await unlike(on);
  if (left.length > 0) throw new Error(`an undisturbed destroy leaves: ${left.join("\n")}`);
  return reference;
}

/** Runs a command that dies at a point, then the same command at once; answers what is not as after an undisturbed one. */
export async function trial(
  on: TrialHost,
  scenario: Scenario,
  command: Command,
  point: Point,
  reference: Reference,
): Promise<string[]> {
  const { host } = on;
  const state: State = new Map();
  try {
    if (command !== "up") await withProvider(host, (life) => run("up", life, state, scenario));
    await using first = await startProvider(host);
    // A run is never the same twice to the last call: a late point may not come, and the run ends undisturbed.
    await runDyingAt(on, point, first, () => run(command, first, state, scenario));
    const problems = await withProvider(host, async (life) => {
      await run(command, life, state, scenario);
      const found = differences(reference[command].end, await endState(host, state));
      if (command === "destroy") return found;
      const again = await preview(life, state, command === "up" ? scenario.program : scenario.changed);
      return [...found, ...again.map((step) => `the next up would ${step}`)];
    });
    if (command !== "destroy") await withProvider(host, (life) => destroy(life, state));
    problems.push(...(await unlike(on)));
    return problems;
  } catch (error) {
    return [error instanceof Error ? `${error.message}` : String(error)];
  } finally {
    host.simulator.faults.clear();
  }
}

function run(command: Command, life: ProviderLife, state: State, { program, changed }: Scenario): Promise<void> {
  if (command === "destroy") return destroy(life, state);
  return up(life, state, command === "up" ? program : changed);
}

async function withProvider<T>(host: Host, work: (life: ProviderLife) => Promise<T>): Promise<T> {
  await using life = await startProvider(host);
  return await work(life);
}

async function unlike({ host, before }: TrialHost): Promise<string[]> {
  return compareHosts(before, await captureHost(host.lab, host.simulator));
}

function differences(wanted: readonly string[], found: readonly string[]): string[] {
  const lacking = [...wanted];
  const surplus = found.filter((line) => {
    const at = lacking.indexOf(line);
    if (at >= 0) lacking.splice(at, 1);
    return at < 0;
  });
  return [...lacking.map((line) => `lacking: ${line}`), ...surplus.map((line) => `too much: ${line}`)];
}

/** How long a XAPI call that a dead process began goes on beside the next command: what moves bridges and ports takes its time. */
const stillMs = (method: string) => (/plug|move/.test(method) ? 200 : 0);

/** Resolves when the process is dead, or when its command has ended; false when the point never came. */
async function runDyingAt(
  on: TrialHost,
  point: Point,
  life: ProviderLife,
  command: () => Promise<void>,
): Promise<boolean> {
  let hasEnded = false;
  let wasMet = false;
  const { host, steps } = on;
  if (point.at === "xapi") {
    let count = 0;
    let mine: object | undefined;
    host.simulator.faults.intercept(async (call, when) => {
      if (when === "before") count += 1;
      if (when === "before" && count === point.n && mine === undefined) mine = call;
      if (call !== mine || (when === "after") !== (point.when === "after")) return "go";
      wasMet = true;
      if (point.who === "engine") life.loseEngine();
      else life.kill();
      if (point.when === "in") await wait(stillMs(call.method));
      return point.when === "before" ? "cut" : "go";
    });
  } else {
    const fault = point.who === "host program" ? (`kill ${point.when}` as const) : "hold";
    steps.arm(point.n, fault);
  }
  const running = command()
    .catch(() => {})
    .finally(() => {
      hasEnded = true;
    });
  if (point.at === "xapi") {
    await Promise.race([running, life.over]);
    return wasMet;
  }
  if (!(await steps.met(() => hasEnded))) return false;
  if (point.who === "power") {
    life.kill();
    await host.powerCut();
    await steps.install();
  } else if (point.who === "provider") life.kill();
  else if (point.who === "engine") life.loseEngine();
  // The host program that was killed has left a provider that goes on.
  else await running;
  steps.go();
  return true;
}
