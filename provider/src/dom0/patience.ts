import type { Clock } from "../core/clock";
import type { HostBusyError } from "./host-busy";

export interface PatienceOptions {
  readonly clock: Clock;
  /** How long reads and changes alike wait for what others do on the host. */
  readonly busyMs: number;
  readonly retryMs: number;
  readonly signal: AbortSignal;
  /** Told what is waited for. */
  readonly notice: (text: string) => void;
}

/** One wait for others: since when, and until when. */
export interface Wait {
  readonly since: number;
  until: number | undefined;
}

const noticeAfterMs = 10_000;
const noticeEveryMs = 30_000;
/** A generation ends by itself; its guard gets so much longer. */
const marginMs = 5000;

/** The one rule by which reads and changes wait while others work on a host. */
export class Patience {
  readonly #options: PatienceOptions;
  #saidAt = Number.NEGATIVE_INFINITY;
  /** A wait was in vain, and nobody has been served since: the next ones try once. */
  #isExhausted = false;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  begin(): Wait {
    return { since: this.#options.clock.now(), until: undefined };
  }

  /** Whether to give up. A pending generation that is met first is waited for to its end, however long its window is. */
  isOver(wait: Wait, { pending }: HostBusyError): boolean {
    const now = this.#options.clock.now();
    if (this.#isExhausted) return true;
    const usual = wait.since + this.#options.busyMs;
    wait.until ??= pending === undefined ? usual : Math.max(usual, now + pending.secondsLeft * 1000 + marginMs);
    this.#isExhausted = now >= wait.until;
    return this.#isExhausted;
  }

  /** The host has served somebody. */
  served(): void {
    this.#isExhausted = false;
  }

  /** Lets some time pass; says what is waited for where that takes long. Rejects when the process ends. */
  async pause(wait: Wait, { reason }: HostBusyError): Promise<void> {
    if (this.#options.clock.now() - wait.since >= noticeAfterMs) this.#say(reason);
    await this.rest();
  }

  /** The time between two looks. Rejects when the process ends. */
  rest(): Promise<void> {
    const { clock, retryMs, signal } = this.#options;
    return clock.sleep(retryMs, signal);
  }

  #say(reason: string): void {
    const now = this.#options.clock.now();
    if (now - this.#saidAt < noticeEveryMs) return;
    this.#saidAt = now;
    this.#options.notice(reason);
  }
}
