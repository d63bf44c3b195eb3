import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "../core/clock";
import { XennetError } from "../core/errors";
import { Confirmation, type ConfirmProbe } from "./confirmation";
import type { FragmentChange, FragmentOutcome } from "./fragment-change";
import { GroupCommit } from "./group-commit";
import { hostMismatch } from "./host-errors";
import { type HostCounters, HostLink } from "./host-link";
import { HostProgram } from "./host-program";
import { Patience } from "./patience";
import { settledLook } from "./settled-look";
import type { HostSnapshot } from "./snapshot";
import { SnapshotCache } from "./snapshot-cache";
import type { SshEndpoint } from "./ssh-endpoint";
import type { Forwarder } from "./ssh-forward";

export type { Forwarder, FragmentChange, FragmentOutcome, HostCounters, HostSnapshot, SshEndpoint };

/** How long things may take on the way to a host. */
export interface HostTiming {
  /** The pooled connection is closed after so long without use. */
  readonly idleMs: number;
  readonly connectMs: number;
  /** The host goes back by itself after so long without confirmation. */
  readonly windowSeconds: number;
  /** How long the proof that the host can still be reached may take; half of the window unless given. */
  readonly confirmMs: number;
  readonly revertMs: number;
  /** How long reads and changes wait for other processes' changes; 90 s, or three windows, unless given. */
  readonly busyMs: number;
  readonly retryMs: number;
  readonly closeMs: number;
}

/** An engine that writes a large state, or a busy workstation, lets seconds pass between two calls of one run: one login has to serve both. */
const TIMING = { idleMs: 5000, connectMs: 20_000, windowSeconds: 30, revertMs: 5000, retryMs: 500, closeMs: 2000 };

export interface Dom0HostOptions {
  readonly endpoint: SshEndpoint;
  readonly confirmProbe: ConfirmProbe;
  /** Makes another error of why a login failed. */
  readonly explain?: (error: unknown) => Promise<unknown>;
  /** Told what is waited for when that takes long. */
  readonly notice?: (text: string) => void;
  readonly clock?: Clock;
  readonly timing?: Partial<HostTiming>;
}

/** One host's dom0: snapshots and changes over one pooled SSH connection. */
export class Dom0Host {
  readonly counters: HostCounters = { logins: 0, execs: 0, banners: 0, applies: 0, forwards: 0 };
  readonly #timing: HostTiming;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  readonly #link: HostLink;
  readonly #cache: SnapshotCache;
  readonly #commits: GroupCommit;
  #expected: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: Dom0HostOptions) {
    this.#timing = timingOf(options.timing ?? {});
    this.#clock = options.clock ?? systemClock;
    const { idleMs, connectMs, confirmMs, revertMs, windowSeconds, busyMs, retryMs } = this.#timing;
    const shared = { clock: this.#clock, signal: this.#ending.signal };
    const { notice, endpoint } = options;
    this.#link = new HostLink({
      endpoint,
      counters: this.counters,
      idleMs,
      connectTimeoutMs: connectMs,
      explain: options.explain,
    });
    const program = new HostProgram(this.#link);
    const patience = new Patience({
      ...{ ...shared, busyMs, retryMs },
      notice: (reason) => notice?.(`Still waiting for dom0 at ${endpoint.host}: ${reason}.`),
    });
    const way = { ...shared, link: this.#link, program };
    this.#cache = new SnapshotCache({
      clock: this.#clock,
      look: async (observer) => this.#checked(await settledLook(program, patience, observer)),
      ownChange: () => this.#commits.transactionEnd(),
    });
    this.#commits = new GroupCommit({
      ...way,
      confirmation: new Confirmation({ ...way, confirmProbe: options.confirmProbe, confirmMs, revertMs }),
      host: () => this.#expectedHost(),
      windowSeconds,
      patience,
      onApply: () => {
        this.counters.applies += 1;
      },
      onSnapshot: (snapshot) => this.#cache.replace(snapshot),
      lastSnapshot: () => this.#cache.latest,
    });
  }

  /** The host's UUID according to XAPI: any other host is refused from now on. Needed before {@link submit}. */
  expectHost(installationUuid: string): void {
    this.#expected = installationUuid;
  }

  /** The host as it was when looked at last, if that was taken or used at most `maxAgeMs` ago and is not 20 s old. */
  async snapshot(maxAgeMs = 2000): Promise<HostSnapshot> {
    if (this.#closing !== undefined) throw closed();
    return this.#checked(await this.#cache.get(maxAgeMs));
  }

  /** Makes a change; resolves once it is in force and confirmed. Changes made at the same time share transactions. */
  async submit(change: FragmentChange): Promise<FragmentOutcome> {
    if (this.#closing !== undefined) throw closed();
    this.#expectedHost();
    return this.#commits.submit(change);
  }

  /** Opens a TCP connection from the host over the pooled SSH connection, which stays open as long as it. */
  forward(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return this.#link.forward(host, port, signal);
  }

  /**
   * Rejects what waits, finishes or takes back what is under way, and logs out; takes at most 2 s. `users` settles when those
   * who have connections over {@link forward} need them no more.
   */
  close(users: Promise<unknown> = Promise.resolve()): Promise<void> {
    this.#closing ??= this.#close(users);
    return this.#closing;
  }

  async #close(users: Promise<unknown>): Promise<void> {
    this.#ending.abort(closed());
    this.#commits.rejectWaiting(closed());
    const patience = new AbortController();
    // Of the time for closing a quarter is left for logging out.
    const limit = this.#clock.sleep(this.#timing.closeMs * 0.75, patience.signal).catch(() => {});
    await Promise.race([Promise.allSettled([this.#commits.settled(), users]), limit]);
    patience.abort();
    await this.#link.close();
    this.#commits.rejectWaiting(closed());
  }

  #expectedHost(): string {
    if (this.#expected !== undefined) return this.#expected;
    throw new Error("expectHost() must tell which host this is before anything is changed on it.");
  }

  #checked(snapshot: HostSnapshot): HostSnapshot {
    if (this.#expected === undefined || snapshot.host === this.#expected) return snapshot;
    throw hostMismatch(this.#expected, snapshot.host);
  }
}

function timingOf(given: Partial<HostTiming>): HostTiming {
  const { windowSeconds = TIMING.windowSeconds } = given;
  const byWindow = { confirmMs: windowSeconds * 500, busyMs: Math.max(90_000, windowSeconds * 3000) };
  return { ...TIMING, ...byWindow, ...given };
}

function closed(): XennetError {
  return new XennetError("HOST_CLOSED", "Nothing more was begun on the host because the process ends.");
}
