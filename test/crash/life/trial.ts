import type { Host } from "../../lab/host.ts";
import { captureHost, compareHosts } from "../../lab/same-host.ts";
import { type Call, type Command, commands, labelOf, type Point, type Undisturbed } from "../points.ts";
import { countDom0Steps, type Dom0Steps } from "./dom0-steps.ts";
import { runDyingAt } from "./dying.ts";
import { endState } from "./end-state.ts";
import { destroy, preview, type State, up } from "./mini-engine.ts";
import { type ProviderLife, startProvider } from "./provider-life.ts";
import type { Scenario } from "./scenarios.ts";

/** What an undisturbed life of a scenario does and leaves, one entry a command. */
export type Reference = Readonly<Record<Command, Undisturbed & { readonly end: readonly string[] }>>;

/** A host on which a scenario is tried again and again. */
export interface TrialHost {
  readonly host: Host;
  readonly steps: Dom0Steps;
  readonly before: Awaited<ReturnType<typeof captureHost>>;
  /** Points that never came, or came at another call or step than in the reference. */
  readonly strays: Stray[];
}

export interface Stray {
  readonly command: Command;
  readonly point: Point;
  /** Where the point was met; undefined when it never came, and nobody died. */
  readonly met: string | undefined;
}

/** What was not as after an undisturbed run, and after which command. */
export interface Failure {
  readonly command: Command;
  readonly problems: readonly string[];
}

/** A look at the host for each step makes a recorded run slow. What a dead one left pending is waited for: shorter than a profile may say. */
const windowSeconds = { recorded: 600, dying: 5 };

export async function prepareTrials(host: Host, scenario: Scenario): Promise<TrialHost> {
  await scenario.prepare(host);
  const steps = await countDom0Steps(host.lab);
  return { host, steps, before: await captureHost(host.lab, host.simulator), strays: [] };
}

/** Up, update and destroy without a fault, each by a process of its own. */
export async function undisturbed(on: TrialHost, scenario: Scenario, withLooks: boolean): Promise<Reference> {
  const state: State = new Map();
  const observe = async (command: Command) => {
    const { host, steps } = on;
    const calls: Call[] = [];
    if (withLooks) steps.record();
    else steps.arm();
    const writes = { begun: 0, ended: 0 };
    host.simulator.faults.intercept(({ method, writing }, when) => {
      // Before the call takes effect: what it is and will be is the same for all that are told apart by nothing else.
      const moment = `${writes.begun} ${writes.ended} ${steps.count()} ${JSON.stringify([...state])}`;
      if (when === "before") calls.push({ method, writing, moment });
      if (writing) writes[when === "before" ? "begun" : "ended"] += 1;
      return "go";
    });
    await withProvider(
      host,
      (life) => run(command, life, state, scenario),
      withLooks ? windowSeconds.recorded : undefined,
    );
    host.simulator.faults.clear();
    return { ...withHosts(calls, steps.seen()), end: await endState(host, state) };
  };
  const reference = { up: await observe("up"), update: await observe("update"), destroy: await observe("destroy") };
  const left = await unlike(on);
  if (left.length > 0) throw new Error(`an undisturbed destroy leaves: ${left.join("\n")}`);
  return reference;
}

/** Of the number of steps that a call's moment names only the host counts that they left. */
function withHosts(calls: readonly Call[], steps: Undisturbed["steps"]): Undisturbed {
  const hostAt = (count: number) => {
    const { after, before } = steps[count - 1] ?? {};
    return Object.values(after ?? before ?? { count }).join(" ");
  };
  const named = (moment: string) =>
    moment.replace(/^(\d+ \d+) (\d+)/, (_all, writes, count) => `${writes} ${hostAt(Number(count))}`);
  return { calls: calls.map((call) => ({ ...call, moment: named(call.moment) })), steps };
}

/**
 * Up, update and destroy; each dies at its point, where it has one, and runs again at once. Answers what is not as after undisturbed
 * runs, at the first command where something is not.
 */
export async function trial(
  on: TrialHost,
  scenario: Scenario,
  points: Readonly<Partial<Record<Command, Point>>>,
  reference: Reference,
): Promise<Failure | undefined> {
  const state: State = new Map();
  for (const command of commands) {
    const problems = await tryCommand(on, scenario, command, points[command], reference, state).catch((error) => [
      error instanceof Error ? error.message : String(error),
    ]);
    on.host.simulator.faults.clear();
    if (problems.length > 0) return { command, problems };
  }
  return undefined;
}

/** `confirm7 awk` → `confirm awk`: a command that dies needs more generations than one that does not. */
const unnumbered = (label = "") => label.replace(/^([a-z]+)[0-9]+/, "$1");

async function tryCommand(
  on: TrialHost,
  scenario: Scenario,
  command: Command,
  point: Point | undefined,
  reference: Reference,
  state: State,
): Promise<string[]> {
  const { host, steps } = on;
  if (point !== undefined) {
    await using first = await startProvider(host, windowSeconds.dying);
    // A run is never the same twice to the last call: a late point may not come, and the run ends undisturbed.
    const met = await runDyingAt(on, point, reference[command], first, () => run(command, first, state, scenario));
    if (unnumbered(met) !== unnumbered(labelOf(point, reference[command]))) on.strays.push({ command, point, met });
    // What did not come is not to come in what follows.
    steps.arm();
  }
  const problems = await withProvider(host, async (life) => {
    await run(command, life, state, scenario);
    const found = differences(reference[command].end, await endState(host, state));
    if (command === "destroy" || point === undefined) return found;
    const again = await preview(life, state, command === "up" ? scenario.program : scenario.changed);
    return [...found, ...again.map((step) => `the next up would ${step}`)];
  });
  return command === "destroy" ? [...problems, ...(await unlike(on))] : problems;
}

function run(command: Command, life: ProviderLife, state: State, { program, changed }: Scenario): Promise<void> {
  if (command === "destroy") return destroy(life, state);
  return up(life, state, command === "up" ? program : changed);
}

async function withProvider<T>(host: Host, work: (life: ProviderLife) => Promise<T>, windowSeconds?: number) {
  await using life = await startProvider(host, windowSeconds);
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
