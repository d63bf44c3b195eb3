import { setImmediate as turn } from "node:timers/promises";
import type { XapiClient } from "../xapi/client";
import { type Inventory, observeInventory } from "./inventory";

/** The pool as it was at some moment. */
export interface Look {
  readonly inventory: Inventory;
  /** When the look began, by `performance.now()`. */
  readonly began: number;
}

/** A way to the pool, made for one look. */
export interface PoolAccess {
  readonly xapi: XapiClient;
  /** Logs out and closes every connection. */
  close(): Promise<void>;
}

/**
 * Looks at a pool for the look-ups of a program. Each look logs in, reads everything, logs out and closes its connections
 * before its answer is handed out: whatever the program does next, no session and no open handle is left.
 */
export class PoolReader {
  readonly #open: () => PoolAccess;
  #latest: Promise<Look> | undefined;
  #next: Promise<Look> | undefined;
  #failed = false;

  constructor(open: () => PoolAccess) {
    this.#open = open;
  }

  /** The latest look of this program, or its first one. */
  latest(): Promise<Look> {
    return this.#latest ?? this.anew();
  }

  /** A look that begins after this call. Those who ask while one is under way share the next. */
  anew(): Promise<Look> {
    // A wrong password is not tried again, for accounts get locked by that; nor is a host that does not answer.
    if (this.#failed && this.#latest !== undefined) return this.#latest;
    this.#next ??= this.#lookAfter(this.#latest);
    this.#latest = this.#next;
    return this.#next;
  }

  async #lookAfter(before: Promise<Look> | undefined): Promise<Look> {
    try {
      await before;
      await turn();
    } finally {
      this.#next = undefined;
    }
    try {
      return await this.#look();
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  async #look(): Promise<Look> {
    const began = performance.now();
    const access = this.#open();
    try {
      return { inventory: await observeInventory(access.xapi), began };
    } finally {
      await access.close();
    }
  }
}
