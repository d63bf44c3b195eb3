import fc from "fast-check";
import type { Action } from "./actions.ts";
import { anySequence } from "./any-action.ts";
import { type Failed, shorten } from "./shorten.ts";

interface Limits {
  /** A sequence's actions beside its opening and its end. */
  readonly mostActions: number;
  /** How long a failing sequence is made shorter. */
  readonly shrinkMs: number;
}

/** Plays a sequence, and notes in `done` what was done of it, up to what went wrong. */
type Play = (actions: readonly Action[], done: Action[], isShrinking: boolean) => Promise<void>;

/** Plays the sequence of a seed; when it goes wrong, shorter ones, as long as there is time. */
export async function search(seed: number, { mostActions, shrinkMs }: Limits, play: Play): Promise<Failed | undefined> {
  const attempt = async (actions: readonly Action[], isShrinking: boolean): Promise<Failed | undefined> => {
    const done: Action[] = [];
    try {
      await play(actions, done, isShrinking);
      return undefined;
    } catch (error) {
      return { actions: done, message: (error as Error).message };
    }
  };
  const failed = await attempt(sequenceOf(seed, mostActions), false);
  if (failed === undefined) return undefined;
  const deadline = performance.now() + shrinkMs;
  return shorten(
    failed,
    (actions) => attempt(actions, true),
    () => performance.now() > deadline,
  );
}

/** Without bias, which is for many short runs: it would make a single one short. */
function sequenceOf(seed: number, mostActions: number): readonly Action[] {
  return fc.sample(anySequence(mostActions), { seed, numRuns: 1, unbiased: true })[0] ?? [];
}
