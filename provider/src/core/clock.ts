import { setTimeout as delay } from "node:timers/promises";

/** Time as the rest of the code sees it, so that tests can drive it. */
export interface Clock {
  /** Milliseconds on a clock that never goes backwards. */
  now(): number;
  /** Resolves after `ms`, or rejects with the reason as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }),
};
