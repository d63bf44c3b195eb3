import type { Action, DisturbedAction, RunAction } from "./actions.ts";

/** A sequence that went wrong: what was done of it, up to there, and what was found. */
export interface Failed {
  readonly actions: readonly Action[];
  readonly message: string;
}

/** Plays a sequence; `undefined` when it goes well. */
export type Try = (actions: readonly Action[]) => Promise<Failed | undefined>;

/** Makes a failing sequence shorter and plainer as long as there is time: first without whole parts, then without single actions, then with plainer ones. */
export async function shorten(failed: Failed, attempt: Try, isOver: () => boolean): Promise<Failed> {
  let shortest = failed;
  const improve = async (candidate: readonly Action[]): Promise<boolean> => {
    const found = isOver() ? undefined : await attempt(candidate);
    if (found !== undefined) shortest = found;
    return found !== undefined;
  };
  let hasImproved = true;
  while (hasImproved && !isOver()) {
    hasImproved = false;
    for (let size = Math.ceil(shortest.actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      // The last one is what went wrong, so the part before it goes first.
      for (let end = shortest.actions.length; end > 0; end = Math.min(end - size, shortest.actions.length)) {
        const { actions } = shortest;
        if (await improve([...actions.slice(0, Math.max(0, end - size)), ...actions.slice(end)])) hasImproved = true;
      }
    }
    for (let at = 0; at < shortest.actions.length; at += 1) {
      while (await firstOf(plainer(shortest.actions[at]), (action) => improve(shortest.actions.with(at, action)))) {
        hasImproved = true;
      }
    }
  }
  return shortest;
}

async function firstOf<T>(list: readonly T[], test: (item: T) => Promise<boolean>): Promise<boolean> {
  for (const item of list) if (await test(item)) return true;
  return false;
}

/** Actions that do less than one. */
function plainer(action: Action | undefined): Action[] {
  if (action?.do === "together") return [...action.runs];
  if (action?.do === "disturbed") return plainerDisturbed(action);
  if (action?.do === "up") return plainerRuns(action);
  return [];
}

function plainerDisturbed(action: DisturbedAction): Action[] {
  const runs = action.run.do === "up" ? plainerRuns(action.run) : [];
  return [
    action.run,
    ...(action.again ? [{ ...action, again: false }] : []),
    ...runs.map((run): Action => ({ ...action, run })),
  ];
}

function plainerRuns(run: Extract<RunAction, { do: "up" }>): RunAction[] {
  const { edits, refresh } = run;
  return [
    ...edits.map((_, at) => ({ ...run, edits: edits.filter((__, other) => other !== at) })),
    ...(refresh ? [{ ...run, refresh: false }] : []),
  ];
}
