import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock";
import type { XennetError } from "../core/errors";
import { type Confirmation, perhapsMade } from "./confirmation";
import type { FragmentChange, FragmentOutcome } from "./fragment-change";
import { HostBusyError } from "./host-busy";
import type { HostLink } from "./host-link";
import type { AnsweredTransaction, HostProgram } from "./host-program";
import type { Patience, Wait } from "./patience";
import { healedLook, notSeen, shortfall } from "./seen-change";
import type { HostSnapshot } from "./snapshot";
import { isConnectionLoss } from "./ssh-errors";
import { isInForce, wroteGeneration } from "./traces";
import { assertSendable } from "./transaction-text";

interface Waiting {
  readonly change: FragmentChange;
  readonly resolve: (outcome: FragmentOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** For other processes. */
  readonly wait: Wait;
  /** How often its transaction was sent and the connection broke. */
  losses: number;
}

export interface GroupCommitOptions {
  readonly link: HostLink;
  readonly program: HostProgram;
  readonly confirmation: Confirmation;
  readonly clock: Clock;
  readonly host: () => string;
  readonly windowSeconds: number;
  /** How changes wait while other processes' changes await their confirmation. */
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /** Called before each run of `xennet transact`. */
  readonly onApply: () => void;
  /** Called with every snapshot that shows a settled host; with undefined when what is known no longer holds. */
  readonly onSnapshot: (snapshot: HostSnapshot | undefined) => void;
  readonly lastSnapshot: () => HostSnapshot | undefined;
}

const MOST_LOSSES = 3;

/**
 * Changes to one host share transactions: an idle host starts one at once, what arrives meanwhile joins the next. None
 * is answered before its own transaction is confirmed.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #queue: Waiting[] = [];
  #working: Promise<void> | undefined;
  #transacting: Promise<void> | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  submit(change: FragmentChange): Promise<FragmentOutcome> {
    assertSendable(change);
    return new Promise((resolve, reject) => {
      this.#queue.push({ change, resolve, reject, wait: this.#options.patience.begin(), losses: 0 });
      this.#working ??= this.#work();
    });
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /** Resolves when the transaction that is under way has ended, well or not. */
  async transactionEnd(): Promise<void> {
    await this.#transacting;
  }

  /** Rejects what has not been sent. */
  rejectWaiting(error: XennetError): void {
    for (const waiting of this.#queue.splice(0)) waiting.reject(error);
  }

  async #work(): Promise<void> {
    try {
      while (this.#queue.length > 0) await this.#next();
    } finally {
      // In the same turn as the last look at the queue, so that no submit falls between the two.
      this.#working = undefined;
    }
  }

  async #next(): Promise<void> {
    const { link, signal } = this.#options;
    try {
      await link.open();
      // Those who were answered together ask again together: let all of them join.
      await nextTurn();
      signal.throwIfAborted();
    } catch (error) {
      for (const waiting of this.#queue.splice(0)) waiting.reject(error);
      return;
    }
    const batch = this.#takeBatch();
    const transaction = link.use(() => this.#transaction(batch));
    this.#transacting = transaction.catch(() => {});
    try {
      await transaction;
    } catch (error) {
      this.#options.onSnapshot(undefined);
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.#transacting = undefined;
    }
  }

  /** All that waits, up to a second change of the same fragment: outcomes are told apart by token. */
  #takeBatch(): Waiting[] {
    const tokens = new Set<string>();
    const second = this.#queue.findIndex(({ change }) => tokens.size === tokens.add(change.token).size);
    return this.#queue.splice(0, second < 0 ? this.#queue.length : second);
  }

  async #transaction(batch: readonly Waiting[]): Promise<void> {
    const { program, host, windowSeconds, onApply } = this.#options;
    const before = this.#options.lastSnapshot();
    let answer: AnsweredTransaction;
    try {
      onApply();
      answer = await program.transact({ host: host(), window: windowSeconds, changes: batch.map((of) => of.change) });
    } catch (error) {
      if (error instanceof HostBusyError) return this.#waitForOthers(batch, before, error);
      if (isConnectionLoss(error)) return this.#afterLoss(batch, before, error);
      throw error;
    }
    this.#options.patience.served();
    await this.#conclude(batch, answer);
  }

  async #conclude(batch: readonly Waiting[], answer: AnsweredTransaction): Promise<void> {
    const accepted: Waiting[] = [];
    for (const waiting of batch) {
      const result = answer.results.get(waiting.change.token);
      if (result?.result === "error") waiting.reject(answer.refused(result));
      else accepted.push(waiting);
    }
    const { pending } = answer;
    const confirmed = pending === undefined ? answer.snapshot : await this.#confirm(accepted, pending);
    await this.#answer(accepted, confirmed, ({ token }) => answer.results.get(token)?.result === "absent");
  }

  /** What the host says was done is only believed when the look that follows shows it. */
  async #answer(
    batch: readonly Waiting[],
    confirmed: HostSnapshot,
    wasAbsent: (change: FragmentChange) => boolean = () => false,
  ): Promise<void> {
    const { program, patience } = this.#options;
    const changes = batch.map(({ change }) => change);
    const snapshot = await healedLook(changes, confirmed, program, patience);
    this.#options.onSnapshot(snapshot);
    for (const { change, resolve, reject } of batch) {
      const lack = shortfall(change, snapshot);
      if (lack !== undefined) reject(notSeen(change, lack));
      else resolve({ token: change.token, result: wasAbsent(change) ? "absent" : "ok", snapshot });
    }
  }

  #confirm(batch: readonly Waiting[], pending: { generation: number; seconds: number }): Promise<HostSnapshot> {
    return this.#options.confirmation.confirm({
      ...pending,
      touchesManagement: batch.some(({ change }) => change.touchesManagement === true),
      isIn: (snapshot) => batch.every(({ change }) => isInForce(change, snapshot)),
    });
  }

  /** Another process's change awaits its confirmation, or it is our own, sent before the connection broke. */
  async #waitForOthers(
    batch: readonly Waiting[],
    before: HostSnapshot | undefined,
    error: HostBusyError,
  ): Promise<void> {
    const { patience } = this.#options;
    if (batch.some(({ losses }) => losses > 0) && (await this.#confirmOwn(batch, before))) return;
    const still = batch.filter(({ wait }) => !patience.isOver(wait, error));
    for (const waiting of batch) if (!still.includes(waiting)) waiting.reject(error);
    this.#queue.unshift(...still);
    const [longest] = still;
    if (longest === undefined) return;
    try {
      await patience.pause(longest.wait, error);
    } catch {
      // The process ends: what waits is rejected by the one who closes the host.
    }
  }

  /** The connection broke while the transaction was under way: the host tells what became of it. */
  async #afterLoss(batch: readonly Waiting[], before: HostSnapshot | undefined, error: unknown): Promise<void> {
    const { windowSeconds, signal, clock } = this.#options;
    const lostAt = clock.now();
    // The host began at the latest when the connection broke.
    const lost = (cause: unknown) =>
      perhapsMade(cause, Math.max(0, windowSeconds - Math.floor((clock.now() - lostAt) / 1000)));
    if (signal.aborted) throw lost(error);
    for (const waiting of batch) waiting.losses += 1;
    try {
      if (await this.#confirmOwn(batch, before)) return;
    } catch (second) {
      throw isConnectionLoss(second) ? lost(second) : second;
    }
    for (const waiting of batch) if (waiting.losses >= MOST_LOSSES) waiting.reject(lost(error));
    this.#queue.unshift(...batch.filter(({ losses }) => losses < MOST_LOSSES));
  }

  /** Confirms the pending generation if it is this batch's; what is not in it waits for another transaction. */
  async #confirmOwn(batch: readonly Waiting[], before: HostSnapshot | undefined): Promise<boolean> {
    const snapshot = await this.#lookUnlessBusy();
    const pending = snapshot?.pending;
    if (
      pending === undefined ||
      snapshot === undefined ||
      !batch.some(({ change }) => wroteGeneration(change, snapshot, before))
    )
      return false;
    const own = batch.filter(({ change }) => isInForce(change, snapshot));
    // The run that made it was killed on the way: what is confirmed would be declared, and not in force.
    if (own.some(({ change }) => shortfall(change, snapshot) !== undefined)) {
      await this.#options.program.revert(pending.generation);
      return false;
    }
    this.#queue.unshift(...batch.filter((waiting) => !own.includes(waiting)));
    try {
      const { generation, secondsLeft } = pending;
      const confirmed = await this.#confirm(own, { generation, seconds: secondsLeft });
      await this.#answer(own, confirmed);
    } catch (error) {
      this.#options.onSnapshot(undefined);
      for (const { reject } of own) reject(error);
    }
    return true;
  }

  /** Undefined while the lock is held, perhaps by our own change, whose answer was lost: the next transaction meets what it left. */
  async #lookUnlessBusy(): Promise<HostSnapshot | undefined> {
    try {
      return await this.#options.program.snapshot();
    } catch (error) {
      if (error instanceof HostBusyError) return undefined;
      throw error;
    }
  }
}
