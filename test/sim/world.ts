import type { Backplane } from "./backplane.ts";
import type { GuestTools, Value } from "./contract.ts";
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
  /** One a host, the first one first. */
  readonly endpoints: Endpoint[];
  /** The number for the next `xapi<N>`; starts again with the toolstack. */
  nextBridge: number;
  lastDomid: number;
}

/** What a guest brings along unless told otherwise. */
export const usualGuestTools: GuestTools = { pvDrivers: true, staticIp: true, hotplugVif: "yes" };

/** Runs work one after the other for each key. */
export class Operations {
  #last = new Map<string, Promise<unknown>>();

  /** Resolves when nothing runs any more, however it ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }

  async oneAtATime<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
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
