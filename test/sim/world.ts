import type { Backplane } from "./backplane.ts";
import type { GuestTools, Role, Value } from "./contract.ts";
import type { Database } from "./database.ts";
import type { Endpoint } from "./pool-role.ts";
import type { Profile } from "./profiles.ts";

/** Everything a call can see and move. */
export interface World {
  readonly db: Database;
  readonly profile: Profile;
  readonly backplane: Backplane;
  readonly username: string;
  readonly password: string;
  readonly authDelayMs: number;
  readonly guestTools: Map<string, GuestTools>;
  /** Objects that an operation runs on; others wait for it, as `retry_with_global_lock` makes them wait in xapi. */
  readonly operations: Operations;
  /** How often calls of a method are still to be answered as done, and not to be done. */
  readonly pretended: Map<string, number>;
  /** What whoever logs in may do. */
  role: Role;
  /** Milliseconds for which a call waits for another operation on the same object before it gives up. */
  patienceMs: number;
  /** One a host, the first one first. */
  readonly endpoints: Endpoint[];
  /** The number for the next `xapi<N>`; starts again with the toolstack. */
  nextBridge: number;
  lastDomid: number;
}

/** What a guest brings along unless told otherwise. */
export const usualGuestTools: GuestTools = { pvDrivers: true, staticIp: true, hotplugVif: "yes", refusesUnplug: false };

/** For so long xapi itself tries again when another operation is in the way. */
export const usualPatienceMs = 2 * 60 * 60 * 1000;

/**
 * The answer makes the pool what it is now, sessions and tasks too, and waits for what runs first. What faults switched stays:
 * `faults.clear()` is for that.
 */
export async function saveWorld(world: World): Promise<() => Promise<void>> {
  await world.operations.idle();
  const putRowsBack = world.db.save();
  const { nextBridge, lastDomid } = world;
  const guestTools = [...world.guestTools];
  return async () => {
    await world.operations.idle();
    putRowsBack();
    Object.assign(world, { nextBridge, lastDomid });
    world.guestTools.clear();
    for (const [vm, tools] of guestTools) world.guestTools.set(vm, tools);
  };
}

/** Runs work one after the other for each key. */
export class Operations {
  #last = new Map<string, Promise<unknown>>();

  /** Resolves when nothing runs any more, however it ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }

  /** `patience` bounds the wait for the turn; without it a call waits as long as it takes. */
  async oneAtATime<T>(key: string, work: () => Promise<T>, patience?: Patience): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const impatience = new AbortController();
    const turn = () => {
      impatience.signal.throwIfAborted();
      return work();
    };
    const mine = before.then(turn, turn);
    this.#last.set(key, mine);
    const timer = patience && setTimeout(() => impatience.abort(patience.giveUp()), patience.ms);
    before.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
    const aborted = new Promise<never>((_, reject) => {
      impatience.signal.addEventListener("abort", () => reject(impatience.signal.reason));
    });
    try {
      return await Promise.race([mine, aborted]);
    } finally {
      mine.then(
        () => this.#forget(key, mine),
        () => this.#forget(key, mine),
      );
    }
  }

  #forget(key: string, done: Promise<unknown>): void {
    if (this.#last.get(key) === done) this.#last.delete(key);
  }
}

/** How long a call waits for its turn, and what it fails with after that. */
interface Patience {
  readonly ms: number;
  giveUp(): Error;
}

/** The text in a field that the tables declare as string, enumeration, date or reference. */
export function text(value: Value | undefined): string {
  if (typeof value !== "string") throw new Error(`Text was expected, ${JSON.stringify(value)} came.`);
  return value;
}

/** The map in a field that the tables declare as map of strings. */
export function stringMap(value: Value | undefined): Readonly<Record<string, string>> {
  return value as Readonly<Record<string, string>>;
}

/** The texts in a field that the tables declare as set of strings or references. */
export function texts(value: Value | undefined): readonly string[] {
  return value as readonly string[];
}
