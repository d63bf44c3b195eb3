import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock";
import { XennetError } from "../core/errors";
import { type Confirmation, notConfirmed } from "./confirmation";
import type { FragmentChange, FragmentOutcome } from "./fragment-change";
import type { HostLink } from "./host-link";
import { HostBusyError, type HostProgram } from "./host-program";
import type { HostSnapshot } from "./snapshot";
import { isConnectionLoss } from "./ssh-errors";
import { isInForce, wroteGeneration } from "./traces";
import { assertSendable, type ChangeResult, type TransactionAnswer } from "./transaction-text";

interface Waiting {
  readonly change: FragmentChange;
  readonly resolve: (outcome: FragmentOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** When to stop waiting for other processes. */
  readonly deadline: number;
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
  /** How long a change waits while other processes' changes await their confirmation. */
  readonly busyMs: number;
  readonly retryMs: number;
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

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  submit(change: FragmentChange): Promise<FragmentOutcome> {
    assertSendable(change);
    return new Promise((resolve, reject) => {
      const deadline = this.#options.clock.now() + this.#options.busyMs;
      this.#queue.push({ change, resolve, reject, deadline, losses: 0 });
      this.#working ??= this.#work();
    });
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#working;
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
    try {
      await link.use(() => this.#transaction(batch));
    } catch (error) {
      this.#options.onSnapshot(undefined);
      for (const waiting of batch) waiting.reject(error);
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
    let answer: TransactionAnswer;
    try {
      onApply();
      answer = await program.transact({ host: host(), window: windowSeconds, changes: batch.map((of) => of.change) });
    } catch (error) {
      if (error instanceof HostBusyError) return this.#waitForOthers(batch, before, error);
      if (isConnectionLoss(error)) return this.#afterLoss(batch, before, error);
      throw error;
    }
    await this.#conclude(batch, answer);
  }

  async #conclude(batch: readonly Waiting[], answer: TransactionAnswer): Promise<void> {
    const accepted: Waiting[] = [];
    for (const waiting of batch) {
      const result = answer.results.get(waiting.change.token);
      if (result?.result === "error") waiting.reject(refusal(result));
      else accepted.push(waiting);
    }
    const { pending } = answer;
    const snapshot = pending === undefined ? answer.snapshot : await this.#confirm(accepted, pending);
    this.#options.onSnapshot(snapshot);
    for (const { change, resolve } of accepted) {
      const absent = answer.results.get(change.token)?.result === "absent";
      resolve({ token: change.token, result: absent ? "absent" : "ok", snapshot });
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
    const { clock, retryMs, signal } = this.#options;
    if (batch.some(({ losses }) => losses > 0) && (await this.#confirmOwn(batch, before))) return;
    const still = batch.filter(({ deadline }) => clock.now() < deadline);
    for (const waiting of batch) if (!still.includes(waiting)) waiting.reject(error);
    this.#queue.unshift(...still);
    if (still.length === 0) return;
    try {
      await clock.sleep(retryMs, signal);
    } catch {
      // The process ends: what waits is rejected by the one who closes the host.
    }
  }

  /** The connection broke while the transaction was under way: the host tells what became of it. */
  async #afterLoss(batch: readonly Waiting[], before: HostSnapshot | undefined, error: unknown): Promise<void> {
    const { windowSeconds, signal } = this.#options;
    if (signal.aborted) throw notConfirmed(error, windowSeconds, false);
    for (const waiting of batch) waiting.losses += 1;
    try {
      if (await this.#confirmOwn(batch, before)) return;
    } catch (second) {
      throw isConnectionLoss(second) ? notConfirmed(second, windowSeconds, false) : second;
    }
    for (const waiting of batch) {
      if (waiting.losses >= MOST_LOSSES) waiting.reject(notConfirmed(error, windowSeconds, false));
    }
    this.#queue.unshift(...batch.filter(({ losses }) => losses < MOST_LOSSES));
  }

  /** Confirms the pending generation if it is this batch's; what is not in it waits for another transaction. */
  async #confirmOwn(batch: readonly Waiting[], before: HostSnapshot | undefined): Promise<boolean> {
    const snapshot = await this.#options.program.snapshot();
    const { pending } = snapshot;
    if (pending === undefined || !batch.some(({ change }) => wroteGeneration(change, snapshot, before))) return false;
    const own = batch.filter(({ change }) => isInForce(change, snapshot));
    this.#queue.unshift(...batch.filter((waiting) => !own.includes(waiting)));
    try {
      const { generation, secondsLeft } = pending;
      const confirmed = await this.#confirm(own, { generation, seconds: secondsLeft });
      this.#options.onSnapshot(confirmed);
      for (const { change, resolve } of own) resolve({ token: change.token, result: "ok", snapshot: confirmed });
    } catch (error) {
      this.#options.onSnapshot(undefined);
      for (const { reject } of own) reject(error);
    }
    return true;
  }
}

function refusal(result: ChangeResult & { result: "error" }): XennetError {
  return new XennetError(
    result.code,
    `The host refused the change: ${result.text === "" ? result.code : result.text}.`,
    {
      facts: { token: result.token },
    },
  );
}
