import type { Action, RunAction } from "./actions.ts";
import { edited, isRenaming } from "./stacks/edits.ts";
import { EMPTY, type Program, SLOTS, type Slot, STACKS, type StackName, type VmName } from "./stacks/program.ts";

/** What is declared, and how the world is: enough to say what the host has to be like. */
export interface Model {
  /** What can be declared on this host: a bridge's name only from XenServer 7.2 on. */
  readonly slots: readonly Slot[];
  readonly programs: Record<StackName, Program>;
  /** Whether the last run of the stack went well and nothing it declares was changed since: the host then equals the program. */
  readonly settled: Record<StackName, boolean>;
  readonly running: Record<VmName, boolean>;
  /** Whether the administrator has switched everything of ours off. */
  off: boolean;
}

export function newModel(slots: readonly Slot[] = SLOTS): Model {
  return {
    slots,
    programs: { one: EMPTY, two: EMPTY },
    settled: { one: true, two: true },
    running: { "Fedora server 1": false, "Fedora server 2": false },
    off: false,
  };
}

/** Changes the model as the beginning of a run does: from now on the program is the new one. */
export function declare(model: Model, run: RunAction): void {
  if (run.do === "destroy") model.programs[run.stack] = EMPTY;
  if (run.do !== "up") return;
  // The engine knows a former name only while it is in its state: so one renaming a run, and none before the last one went well.
  const first = run.edits.find(isRenaming);
  const edits = run.edits.filter((edit) => !isRenaming(edit) || (edit === first && model.settled[run.stack]));
  model.programs[run.stack] = edits.reduce(
    (program, edit) => edited(program, edit, run.stack, model.slots),
    model.programs[run.stack],
  );
}

/** Whether an action means anything at this point. */
export function isPossible(model: Model, action: Action): boolean {
  if (action.do === "vm" && action.what === "start") return !model.running[action.vm];
  if (action.do === "vm" && ["stop", "reboot"].includes(action.what)) return model.running[action.vm];
  if (action.do === "console" && action.what === "on") return model.off;
  return true;
}

/** A VM that starts has all of its VIFs plugged, declared so or not. */
export function vmStarted(model: Model, vm: VmName): void {
  model.running[vm] = true;
  for (const stack of STACKS) {
    if (model.programs[stack].vifs.some((vif) => vif.vm === vm && !vif.plugged)) model.settled[stack] = false;
  }
}

/** The stacks whose declarations the host has to equal. */
export function settledStacks(model: Model): Array<{ readonly stack: StackName; readonly program: Program }> {
  return STACKS.filter((stack) => model.settled[stack]).map((stack) => ({ stack, program: model.programs[stack] }));
}

/** One line that tells states apart. */
export function fingerprint({ programs, settled, running, off }: Model): string {
  return JSON.stringify([programs, settled, running, off]);
}
