import { setImmediate as turn } from "node:timers/promises";
import { XapiClient } from "../xapi/client";
import type { XapiEndpoint } from "../xapi/endpoint";
import { type Inventory, observeInventory } from "./inventory";

/** The pool as it was at some moment. */
export interface Look {
  readonly inventory: Inventory;
  /** When the look began, by `performance.now()`. */
  readonly began: number;
}

/**
 * Looks at a pool for the look-ups of a program. Each look logs in, reads everything, logs out and closes its connections
 * before its answer is handed out: whatever the program does next, no session and no open handle is left.
 */
export class PoolReader {
  readonly #endpoint: XapiEndpoint;
  readonly #warn: (text: string) => void;
  #latest: Promise<Look> | undefined;
  #next: Promise<Look> | undefined;
  #failed = false;

  constructor(endpoint: XapiEndpoint, warn: (text: string) => void) {
    this.#endpoint = endpoint;
    this.#warn = warn;
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
    const xapi = new XapiClient(this.#endpoint, { onWarning: this.#warn });
    try {
      return { inventory: await observeInventory(xapi), began };
    } finally {
      await xapi.close();
    }
  }
}
