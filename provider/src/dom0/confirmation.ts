import type { Clock } from "../core/clock";
import { withDeadline } from "../core/deadline";
import { XennetError } from "../core/errors";
import type { HostLink } from "./host-link";
import type { HostProgram } from "./host-program";
import type { HostSnapshot } from "./snapshot";
import { isConnectionLoss } from "./ssh-errors";
import type { Forwarder } from "./ssh-forward";

/** A generation of ours that the host takes back unless it is confirmed in time. */
export interface PendingChange {
  readonly generation: number;
  readonly seconds: number;
  readonly touchesManagement: boolean;
  /** Whether a snapshot shows the change in force. */
  readonly isIn: (snapshot: HostSnapshot) => boolean;
}

/**
 * A call over the other way into the host (XAPI); rejects when the host can no longer be managed that way. It gets the new
 * SSH connection, for a XAPI that is reached through SSH. When the signal aborts its answer counts no more: it logs out, and settles.
 */
export type ConfirmProbe = (fresh: Forwarder, signal: AbortSignal) => Promise<void>;

export interface ConfirmationOptions {
  readonly link: HostLink;
  readonly program: HostProgram;
  readonly clock: Clock;
  readonly confirmProbe: ConfirmProbe;
  /** How long the ways into the host may take to prove that they still work. */
  readonly confirmMs: number;
  readonly revertMs: number;
  /** Aborts when the process wants to end. */
  readonly signal: AbortSignal;
}

/**
 * Confirms what the host holds as pending, after proving that the host can still be reached: the first time, and for
 * changes that could cut management traffic, by a fresh SSH login and the other way in; else by a new connection up to
 * the SSH banner.
 */
export class Confirmation {
  readonly #options: ConfirmationOptions;
  #provedOnce = false;

  constructor(options: ConfirmationOptions) {
    this.#options = options;
  }

  /** Resolves once the host has confirmed; rejects with NOT_CONFIRMED. */
  async confirm(change: PendingChange): Promise<HostSnapshot> {
    const { clock, confirmMs } = this.#options;
    const since = clock.now();
    try {
      const expired = () => new XennetError("CONFIRM_TIMEOUT", `the proof took longer than ${confirmMs} ms`);
      const snapshot = await withDeadline(confirmMs, expired, (signal) => this.#prove(change, signal));
      this.#provedOnce = true;
      return snapshot;
    } catch (error) {
      const isBack = await this.#takeBack(change);
      const kept = isBack ? undefined : await this.#keptAfterAll(change);
      if (kept !== undefined) return kept;
      const secondsLeft = Math.max(0, change.seconds - Math.floor((clock.now() - since) / 1000));
      throw notConfirmed(error, secondsLeft, isBack);
    }
  }

  /** Tells the host to go back at once; false when that could not be done. */
  async #takeBack(change: PendingChange): Promise<boolean> {
    const { program, revertMs } = this.#options;
    try {
      const expired = () => new XennetError("REVERT_TIMEOUT", "no answer");
      await withDeadline(revertMs, expired, () => program.revert(change.generation));
      return true;
    } catch {
      // Best effort: the host goes back by itself, and the caller is told so.
      return false;
    }
  }

  /** A confirmation that was under way when its deadline passed may have arrived. */
  async #keptAfterAll(change: PendingChange): Promise<HostSnapshot | undefined> {
    const { program, revertMs } = this.#options;
    try {
      const expired = () => new XennetError("REVERT_TIMEOUT", "no answer");
      const snapshot = await withDeadline(revertMs, expired, () => program.snapshot());
      return snapshot.pending === undefined && change.isIn(snapshot) ? snapshot : undefined;
    } catch {
      // Nothing more can be learned; "not confirmed" is the safe answer, as the next run looks at the host anyway.
      return undefined;
    }
  }

  async #prove(change: PendingChange, deadline: AbortSignal): Promise<HostSnapshot> {
    const signal = AbortSignal.any([deadline, this.#options.signal]);
    if (signal.aborted) throw givenUp();
    if (!this.#provedOnce || change.touchesManagement) return this.#proveByLogin(change, deadline, signal);
    await this.#options.link.banner(this.#options.confirmMs, signal);
    if (signal.aborted) throw givenUp();
    return this.#settle(change, deadline, () => this.#options.program.confirm(change.generation));
  }

  /** `signal` aborts with the deadline, and when the process wants to end. */
  async #proveByLogin(change: PendingChange, deadline: AbortSignal, signal: AbortSignal): Promise<HostSnapshot> {
    const { link, program, confirmProbe } = this.#options;
    const connection = await link.login(signal);
    const probe = confirmProbe(connection, signal);
    const abandon = () => connection.abandon();
    try {
      await Promise.race([probe, rejectionOf(signal)]);
      // A confirmation that waits in the network must not arrive once the caller was told that there is none.
      deadline.addEventListener("abort", abandon);
      return await this.#settle(change, deadline, () => program.confirm(change.generation, connection));
    } finally {
      deadline.removeEventListener("abort", abandon);
      // What was given up may still log out of XAPI over this connection; nobody waits for that.
      const settled = withDeadline(LOGOUT_MS, givenUp, () => probe).catch(() => {});
      const ending = settled.then(() => connection.end());
      if (!signal.aborted) await ending;
    }
  }

  /** A confirmation whose answer was lost may have been heard: the host knows. After the deadline nothing is confirmed. */
  async #settle(
    change: PendingChange,
    deadline: AbortSignal,
    confirm: () => Promise<HostSnapshot>,
  ): Promise<HostSnapshot> {
    try {
      return await confirm();
    } catch (error) {
      if (!isConnectionLoss(error) || deadline.aborted) throw error;
      const { program } = this.#options;
      const snapshot = await program.snapshot();
      if (deadline.aborted) throw error;
      if (snapshot.pending?.generation === change.generation) return program.confirm(change.generation);
      if (snapshot.pending === undefined && change.isIn(snapshot)) return snapshot;
      throw error;
    }
  }
}

/** What a probe that was given up gets to end. */
const LOGOUT_MS = 2000;

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(givenUp());
    else signal.addEventListener("abort", () => reject(givenUp()), { once: true });
  });
}

function givenUp(): XennetError {
  return new XennetError("CONFIRM_GIVEN_UP", "the process was told to end");
}

/** The change was not confirmed, so the host does not keep it. */
function notConfirmed(cause: unknown, secondsLeft: number, isBack: boolean): XennetError {
  const now = isBack ? "The host has gone back to what it was." : goesBack("The host goes", secondsLeft);
  const left = isBack ? 0 : secondsLeft;
  return unconfirmed(
    `The change was made on the host but could not be confirmed: ${reasonOf(cause)}. ${now}`,
    left,
    cause,
  );
}

/** The connection broke, and nothing tells whether the host made the change. */
export function perhapsMade(cause: unknown, secondsLeft: number): XennetError {
  const now = goesBack("If the host made it, it goes", secondsLeft);
  return unconfirmed(`The change could not be confirmed: ${reasonOf(cause)}. ${now}`, secondsLeft, cause);
}

function goesBack(who: string, seconds: number): string {
  return `${who} back by itself to what it was within ${seconds} s; whatever runs next waits for that.`;
}

function reasonOf(cause: unknown): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  return why.replace(/\.$/, "");
}

function unconfirmed(what: string, secondsLeft: number, cause: unknown): XennetError {
  const message = `${what} Run the command again once the cause is removed.`;
  return new XennetError("NOT_CONFIRMED", message, { facts: { secondsLeft }, cause });
}
