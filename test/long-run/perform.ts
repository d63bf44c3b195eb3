import { type Action, type EventAction, isEvent } from "./actions.ts";
import { happen } from "./events/happen.ts";
import { concernsOthers } from "./faults/arm.ts";
import { judge } from "./looks/judge.ts";
import { changedOthers } from "./looks/others.ts";
import type { Machine } from "./machine.ts";
import { fingerprint, type Model } from "./model.ts";
import { type RunScene, runAlone, runDisturbed } from "./runs.ts";
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
  const problems: string[] = [];
  if (isEvent(action)) {
    await happen(action, model, machine);
    count(statistics, "what" in action ? `${action.do} ${action.what}` : action.do);
    problems.push(...judge(await machine.heal(), model, machine));
  } else {
    const before = await machine.look();
    problems.push(...(await runsOf(action, { model, machine, statistics, before })));
    const after = await machine.heal();
    if (action.do !== "disturbed" || !concernsOthers(action.by)) problems.push(...changedOthers(before, after));
    problems.push(...judge(after, model, machine));
  }
  statistics.states.add(fingerprint(model));
  if (problems.length > 0) throw new Wrong(problems);
}

async function runsOf(action: Exclude<Action, EventAction>, scene: RunScene): Promise<string[]> {
  if (action.do === "disturbed") return runDisturbed(action, scene);
  if (action.do !== "together") return runAlone(action, scene);
  const found = await Promise.all(action.runs.map((run) => runAlone(run, scene)));
  return found.flat();
}
