import fc from "fast-check";
import type { Action } from "./actions.ts";
import { anyAction, anyOpening } from "./any-action.ts";
import { undoEvents } from "./events/dom0.ts";
import type { Machine } from "./machine.ts";
import { isPossible, type Model, newModel } from "./model.ts";
import { perform, Wrong } from "./perform.ts";
import { STACKS } from "./stacks/program.ts";
import type { Statistics } from "./statistics.ts";

/** What an action works on beside the model. */
interface Scene {
  readonly machine: Machine;
  readonly statistics: Statistics;
  /** What was done, in its order; whoever plays this again plays the same. */
  readonly done: Action[];
}

type Command = fc.AsyncCommand<Model, Scene>;

/** An action as fast-check's command: left out where it means nothing, and compared with the model when it is done. */
class Deed implements fc.AsyncCommand<Model, Scene> {
  readonly action: Action;

  constructor(action: Action) {
    this.action = action;
  }

  check(model: Readonly<Model>): boolean {
    return isPossible(model, this.action);
  }

  async run(model: Model, { machine, statistics, done }: Scene): Promise<void> {
    done.push(this.action);
    try {
      await perform(this.action, model, machine, statistics);
    } catch (error) {
      const found = error instanceof Wrong ? error.message : `${(error as Error).stack}`;
      throw new Wrong([`at ${this.toString()}:`, found]);
    }
  }

  toString(): string {
    return JSON.stringify(this.action);
  }
}

/** A beginning and random actions; a failing list shrinks to those that were done, and to fewer and plainer ones. */
export const anySequence = (maxCommands: number): fc.Arbitrary<[Action[], Iterable<Command>]> =>
  fc.tuple(anyOpening, fc.commands([anyAction.map((action) => new Deed(action))], { maxCommands, size: "max" }));

/**
 * Plays actions on a host on which nothing is declared, and leaves it like that: the same host. `done` tells what was played, but
 * for the end of every sequence.
 */
export async function play(
  [opening, deeds]: readonly [readonly Action[], Iterable<Command>],
  machine: Machine,
  statistics: Statistics,
  done: Action[] = [],
): Promise<void> {
  const model = newModel(machine.slots);
  const real = { machine, statistics, done };
  await fc.asyncModelRun(
    () => ({ model, real }),
    opening.map((action) => new Deed(action)),
  );
  await fc.asyncModelRun(() => ({ model, real }), deeds);
  await finish(model, { ...real, done: [] });
}

/** Whatever happened, the next run of each stack makes the host what is declared; and after destroy it is the same host. */
async function finish(model: Model, scene: Scene): Promise<void> {
  const then = (action: Action) => new Deed(action).run(model, scene);
  for (const stack of STACKS.filter((one) => !model.settled[one])) {
    await then({ do: "up", stack, edits: [], refresh: true });
  }
  await undoEvents(model, scene.machine);
  const gone = { do: "destroy", refresh: true } as const;
  await then({
    do: "together",
    runs: [
      { ...gone, stack: "one" },
      { ...gone, stack: "two" },
    ],
  });
  const left = await scene.machine.leftovers();
  if (left.length > 0) throw new Wrong(["after the last destroy it is not the same host:", ...left]);
  scene.statistics.sequences += 1;
}
