import type { Action, DisturbedAction, EventAction, RunAction } from "./actions.ts";
import { happen } from "./events.ts";
import { arm } from "./faults.ts";
import { judge } from "./looks/judge.ts";
import { keysOf, type Look, text } from "./looks/look.ts";
import { changedOthers } from "./looks/others.ts";
import { short } from "./looks/records.ts";
import type { Machine } from "./machine.ts";
import { declare, fingerprint, type Model } from "./model.ts";
import { registrationsOf } from "./stacks/goals.ts";
import { type ProviderProcess, startProvider } from "./stacks/provider-process.ts";
import type { Outcome } from "./stacks/stack.ts";
import { count, type Statistics } from "./statistics.ts";

/** What the long run found wrong. */
export class Wrong extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "Wrong";
  }
}

/** Does one action, lets the host heal, and compares everything with the model. */
export async function perform(action: Action, model: Model, machine: Machine, statistics: Statistics): Promise<void> {
  const before = await machine.look();
  const problems: string[] = [];
  if (isEvent(action)) {
    await happen(action, model, machine);
    count(statistics, action.do === "vm" || action.do === "console" || action.do === "xe" ? action.what : action.do);
  } else if (action.do === "together") {
    const [one, two] = action.runs;
    const found = await Promise.all([
      runAlone(one, model, machine, statistics),
      runAlone(two, model, machine, statistics),
    ]);
    problems.push(...found.flat());
  } else if (action.do === "disturbed") {
    problems.push(...(await runDisturbed(action, model, machine, statistics)));
  } else {
    problems.push(...(await runAlone(action, model, machine, statistics)));
  }
  const after = await heal(machine);
  if (!isEvent(action) && !concernsOthers(action)) problems.push(...changedOthers(before, after));
  problems.push(...judge(after, model, machine));
  statistics.states.add(fingerprint(model));
  if (problems.length > 0) throw new Wrong(problems);
}

function isEvent(action: Action): action is EventAction {
  return !["up", "destroy", "refresh", "disturbed", "together"].includes(action.do);
}

/** Faults that move more than the stacks do. */
const concernsOthers = (action: Action): boolean => action.do === "disturbed" && /^vm /.test(action.by.fault);

/** As the host does by itself within a minute. */
async function heal(machine: Machine): Promise<Look> {
  const said = await machine.console(
    "[ ! -x /usr/local/sbin/xennet ] || xennet apply || { sleep 0.3; xennet apply; } || echo failed: $?",
  );
  if (/failed: /.test(said)) throw new Wrong([`xennet apply: ${said}`]);
  return machine.look();
}

/** A run that nothing disturbs goes well, unless what is declared cannot be had. */
async function runAlone(run: RunAction, model: Model, machine: Machine, statistics: Statistics): Promise<string[]> {
  const blocked = await blockedNetworks(run, machine);
  const provider = await startProvider(machine.host);
  try {
    const outcome = await start(run, model, machine, provider);
    noteSteps(outcome, statistics);
    if (run.do !== "refresh") model.settled[run.stack] = outcome.ok;
    if (outcome.ok) return [];
    statistics.refusals += 1;
    if (
      blocked &&
      outcome.errors.every((error) => /NETWORK_IN_USE|VIFs (are still|that are not)/.test(described(error)))
    )
      return [];
    return told(run, outcome);
  } finally {
    await provider.end();
  }
}

function start(run: RunAction, model: Model, machine: Machine, provider: ProviderProcess): Promise<Outcome> {
  const stack = machine.stacks[run.stack];
  // What is not settled needs a look before.
  const refresh = run.do === "refresh" || run.refresh || !model.settled[run.stack];
  declare(model, run);
  if (run.do === "refresh") return stack.refresh(provider);
  if (run.do === "destroy") return stack.destroy(provider, refresh);
  return stack.up(provider, registrationsOf(run.stack, model.programs[run.stack]), refresh);
}

function noteSteps({ steps }: Outcome, statistics: Statistics): void {
  for (const { op } of steps) count(statistics, op);
}

function told(run: RunAction, { steps, errors }: Outcome): string[] {
  const failed = steps.flatMap(({ op, urn, error }) => (error ? [`${op} of ${short(urn)}: ${described(error)}`] : []));
  const others = errors.filter((error) => !steps.some((step) => step.error === error)).map(described);
  return [`${run.stack}: ${run.do} failed, and nothing disturbed it`, ...failed, ...others];
}

function described(error: Error): string {
  const { code, cause } = error as { code?: string; cause?: { code?: string } };
  const known = code ?? cause?.code;
  return `${error.message}${known === undefined ? "" : ` (${known})`}`;
}

/** Whether VIFs of others are on a network of the stack: it cannot go then, and the run says so. */
async function blockedNetworks({ stack }: RunAction, machine: Machine): Promise<boolean> {
  const { networks, vifs } = await machine.look();
  const isOurs = (owner: string | undefined) => owner?.startsWith(`urn:pulumi:${stack}::`) === true;
  const own = networks.filter((network) => isOurs(keysOf(network)["xennet:owner"])).map(({ ref }) => ref);
  const recorded = new Set(machine.stacks[stack].state.resources.map(({ id }) => id.split("/")[1]));
  return vifs.some((vif) => own.includes(text(vif, "network")) && !recorded.has(vif.uuid));
}

/** A run that something disturbs may fail; it then says why, and the next one goes well. */
async function runDisturbed(
  action: DisturbedAction,
  model: Model,
  machine: Machine,
  statistics: Statistics,
): Promise<string[]> {
  const { run, by, again } = action;
  const provider = await startProvider(machine.host);
  const disarm = await arm({ machine, model, provider, run, by });
  let outcome: Outcome;
  try {
    outcome = await start(run, model, machine, provider);
  } finally {
    await disarm();
    await provider.end();
  }
  count(statistics, by.fault);
  statistics.faults += 1;
  noteSteps(outcome, statistics);
  await settlePending(machine, action);
  if (run.do !== "refresh") model.settled[run.stack] = outcome.ok && by.fault !== "engine dies";
  if (!outcome.ok) {
    const wordless = outcome.errors.filter(({ message }) => message.trim() === "");
    if (wordless.length > 0 || outcome.errors.length === 0)
      return [`${run.stack}: ${run.do} failed and does not say why`];
  }
  return again ? runAlone(repeated(run), model, machine, statistics) : [];
}

/** The edits are made already. */
const repeated = (run: RunAction): RunAction => (run.do === "up" ? { ...run, edits: [], refresh: true } : run);

/** What a dead provider left pending goes back when its window ends; here mostly at once. */
async function settlePending(machine: Machine, { by }: DisturbedAction): Promise<void> {
  if (by.call % 8 === 7) return;
  await machine.console(
    "[ ! -s /etc/xennet/pending ] || [ ! -x /usr/local/sbin/xennet ] || xennet revert $(sed 's/ .*//' /etc/xennet/pending)",
  );
}
