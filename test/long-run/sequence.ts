import type { Action } from "./actions.ts";
import { undoEvents } from "./events/dom0.ts";
import type { Machine } from "./machine.ts";
import { isPossible, type Model, newModel } from "./model.ts";
import { perform, Wrong } from "./perform.ts";
import { STACKS } from "./stacks/program.ts";
import type { Statistics } from "./statistics.ts";

/**
 * Plays actions on a host on which nothing is declared, and leaves it like that: the same host. One that means nothing at its point
 * is left out; `done` tells the others.
 */
export async function play(
  actions: readonly Action[],
  machine: Machine,
  statistics: Statistics,
  done: Action[] = [],
): Promise<void> {
  const model = newModel(machine.slots);
  for (const action of actions) {
    if (!isPossible(model, action)) continue;
    done.push(action);
    await tell(action, () => perform(action, model, machine, statistics));
  }
  await finish(model, machine, statistics);
}

/** Whatever happened, the next run of each stack makes the host what is declared; and after destroy it is the same host. */
async function finish(model: Model, machine: Machine, statistics: Statistics): Promise<void> {
  const then = (action: Action) => tell(action, () => perform(action, model, machine, statistics));
  for (const stack of STACKS.filter((one) => !model.settled[one])) {
    await then({ do: "up", stack, edits: [], refresh: true });
  }
  await undoEvents(model, machine);
  const gone = { do: "destroy", refresh: true } as const;
  await then({
    do: "together",
    runs: [
      { ...gone, stack: "one" },
      { ...gone, stack: "two" },
    ],
  });
  const left = await machine.leftovers();
  if (left.length > 0) throw new Wrong(["after the last destroy it is not the same host:", ...left]);
  statistics.sequences += 1;
}

async function tell(action: Action, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const found = error instanceof Wrong ? error.message : `${(error as Error).stack}`;
    throw new Wrong([`at ${JSON.stringify(action)}:`, found]);
  }
}
