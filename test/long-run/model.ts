import type { Action, RunAction, VmDeed } from "./actions.ts";
import { type Edit, edited, isRenaming } from "./stacks/edits.ts";
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

/** Changes the model as the beginning of a run does: from now on the program is the new one. What of the edits had an effect. */
export function declare(model: Model, run: RunAction): Edit[] {
  const { stack } = run;
  if (run.do === "destroy") model.programs[stack] = EMPTY;
  if (run.do !== "up") return [];
  // The engine knows a former name only while it is in its state: so one renaming a run, and none before the last one went well.
  const first = run.edits.find(isRenaming);
  const edits = run.edits.filter((edit) => !isRenaming(edit) || (edit === first && model.settled[stack]));
  return edits.filter((edit) => {
    const before = model.programs[stack];
    model.programs[stack] = edited(before, edit, stack, model.slots);
    return model.programs[stack] !== before;
  });
}

/** What can be done of a VM that runs, and of one that does not. */
const RUNNING: readonly VmDeed[] = ["stop", "reboot", "clean shutdown", "clean reboot"];
const HALTED: readonly VmDeed[] = ["start", "revert", "clone"];

/** Whether an action means anything at this point. */
export function isPossible(model: Model, action: Action): boolean {
  if (action.do === "vm" && RUNNING.includes(action.what)) return model.running[action.vm];
  if (action.do === "vm" && HALTED.includes(action.what)) return !model.running[action.vm];
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

/** Its VIFs are others now, as they once were. */
export function vmReverted(model: Model, vm: VmName): void {
  for (const stack of STACKS) {
    if (model.programs[stack].vifs.some((vif) => vif.vm === vm)) model.settled[stack] = false;
  }
}

/** Dom0 takes its VMs down with it. */
export function allHalted(model: Model): void {
  for (const vm of Object.keys(model.running) as VmName[]) model.running[vm] = false;
}

/** The stacks whose declarations the host has to equal. */
export function settledStacks(model: Model): Array<{ readonly stack: StackName; readonly program: Program }> {
  return STACKS.filter((stack) => model.settled[stack]).map((stack) => ({ stack, program: model.programs[stack] }));
}

/** One line that tells states apart. */
export function fingerprint({ programs, settled, running, off }: Model): string {
  return JSON.stringify([programs, settled, running, off]);
}
