import type { DisturbedAction, Fault, RunAction } from "./actions.ts";
import { arm, mayUndo } from "./faults/arm.ts";
import { keysOf, type Look, text, type XapiRecord } from "./looks/look.ts";
import { notRecorded, short } from "./looks/records.ts";
import type { Machine } from "./machine.ts";
import { declare, type Model } from "./model.ts";
import type { Outcome } from "./stacks/engine-run.ts";
import { registrationsOf } from "./stacks/goals.ts";
import { type ProviderProcess, startProvider } from "./stacks/provider-process.ts";
import { count, countEdit, countFault, type Statistics } from "./statistics.ts";

/** Where a run takes place. */
export interface RunScene {
  readonly model: Model;
  readonly machine: Machine;
  readonly statistics: Statistics;
  /** The host at the moment at which the run begins. */
  readonly before: Look;
}

/** A run that nothing disturbs goes well, unless what is declared cannot be had. */
export async function runAlone(run: RunAction, scene: RunScene): Promise<string[]> {
  const { model, machine, statistics } = scene;
  const blocked = hasBlockedNetworks(run, scene);
  const isForgotten = run.do === "destroy" && notRecorded(scene.before, machine.stacks[run.stack]).length > 0;
  const provider = await startProvider(machine.host, machine.handlers);
  try {
    const outcome = await start(run, scene, provider);
    // A destroy knows the state only: what a run that was cut short made and could not record stays until the next up.
    if (run.do !== "refresh") model.settled[run.stack] = outcome.ok && !isForgotten;
    if (outcome.ok) return [];
    statistics.refusals += 1;
    return blocked && outcome.errors.every(isOfUsedNetwork) ? [] : told(run, outcome);
  } finally {
    await provider.end();
  }
}

async function start(
  run: RunAction,
  { model, machine, statistics }: RunScene,
  provider: ProviderProcess,
): Promise<Outcome> {
  const outcome = await begin(run, model, machine, provider, statistics);
  for (const { op, urn } of outcome.steps) count(statistics, `${op} ${short(urn).split("::")[0]}`);
  return outcome;
}

function begin(
  run: RunAction,
  model: Model,
  machine: Machine,
  provider: ProviderProcess,
  statistics: Statistics,
): Promise<Outcome> {
  const stack = machine.stacks[run.stack];
  // What is not settled needs a look before.
  const refresh = run.do === "refresh" || run.refresh || !model.settled[run.stack];
  for (const { edit } of declare(model, run)) countEdit(statistics, edit);
  if (run.do === "refresh") return stack.refresh(provider);
  if (run.do === "destroy") return stack.destroy(provider, refresh);
  return stack.up(provider, registrationsOf(run.stack, model.programs[run.stack]), refresh);
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
function hasBlockedNetworks({ stack }: RunAction, { machine, before: { networks, vifs } }: RunScene): boolean {
  const recorded = new Set(machine.stacks[stack].state.resources.map(({ id }) => id.split("/")[1]));
  // One that is not recorded is the stack's by its mark, one whose mark somebody removed by the record.
  const isOwn = (network: XapiRecord) =>
    recorded.has(network.uuid) || keysOf(network)["xennet:owner"]?.startsWith(`urn:pulumi:${stack}::`) === true;
  const own = networks.filter(isOwn).map(({ ref }) => ref);
  return vifs.some((vif) => own.includes(text(vif, "network")) && !recorded.has(vif.uuid));
}

const isOfUsedNetwork = (error: Error): boolean =>
  /NETWORK_IN_USE|VIFs (are still|that are not)/.test(described(error));

/** A run that something disturbs may fail; it then says why, and the next one goes well. */
export async function runDisturbed({ run, by, again }: DisturbedAction, scene: RunScene): Promise<string[]> {
  const { model, machine, statistics } = scene;
  const provider = await startProvider(machine.host, machine.handlers);
  const disarm = await arm({ machine, model, provider, run, by });
  let outcome: Outcome;
  try {
    outcome = await start(run, scene, provider);
  } finally {
    if (await disarm()) countFault(statistics, by.fault);
    await provider.end();
  }
  await settlePending(machine, by);
  const isRecorded = outcome.ok && by.fault !== "engine dies" && !mayUndo(model, run, by);
  if (run.do !== "refresh") model.settled[run.stack] = isRecorded;
  const isWordless = outcome.errors.length === 0 || outcome.errors.some(({ message }) => message.trim() === "");
  if (!outcome.ok && isWordless) return [`${run.stack}: ${run.do} failed and does not say why`];
  return again ? runAlone(repeated(run), { ...scene, before: await machine.look() }) : [];
}

/** The edits are made already. */
const repeated = (run: RunAction): RunAction => (run.do === "up" ? { ...run, edits: [], refresh: true } : run);

/** What a dead provider left pending goes back when its window ends; here mostly at once. */
async function settlePending(machine: Machine, by: Fault): Promise<void> {
  if (by.call % 8 === 7) return;
  await machine.console(
    "[ ! -s /etc/xennet/pending ] || [ ! -x /usr/local/sbin/xennet ] || xennet revert $(sed 's/ .*//' /etc/xennet/pending)",
  );
}
