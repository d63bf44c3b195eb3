import { withDeadline } from "../core/deadline";
import { XennetError } from "../core/errors";
import { Silence } from "../core/silence";
import { clientClosed } from "./connection-errors";
import type { XapiEndpoint } from "./endpoint";
import { hasXapiCode, XapiConnectionError, XapiError } from "./errors";
import { type Session, SessionSource } from "./session";
import { isWriting } from "./transport";
import type { XapiValue } from "./xml-rpc";

/** Limits in milliseconds, and where to tell of what went wrong in the background. */
export interface XapiClientOptions {
  readonly callDeadlineMs?: number;
  readonly loginDeadlineMs?: number;
  /** How long after the last call the session is given back. */
  readonly idleMs?: number;
  readonly onWarning?: (message: string) => void;
  /** Makes another error of why a login failed, for who knows more about the host than its XAPI. */
  readonly explain?: (error: unknown) => Promise<unknown>;
}

/** What went over the wire so far. */
export interface XapiCounters {
  logins: number;
  logouts: number;
  /** Without logins and logouts. */
  calls: number;
  /** Calls that could change something. */
  writingCalls: number;
}

const defaults = {
  ...{ callDeadlineMs: 60_000, loginDeadlineMs: 20_000, idleMs: 1000, onWarning: () => {} },
  explain: async (error: unknown) => error,
};
const lasting = new Set(["XAPI_AUTH_FAILED", "XAPI_LEGACY_CRYPTO"]);
const logoutDeadlineMs = 5000;
/** {@link XapiClient.close}: how long calls under way may take, and how long everything may take. */
const drainMs = 1000;
const closeMs = 2000;

/** XAPI calls to one pool over one shared session, which is opened at the first call and given back when idle. */
export class XapiClient {
  readonly counters: XapiCounters = { logins: 0, logouts: 0, calls: 0, writingCalls: 0 };
  readonly #settings: Required<XapiClientOptions>;
  readonly #source: SessionSource;
  readonly #logouts = new Set<Promise<void>>();
  readonly #active = new Set<Promise<unknown>>();
  #session: Promise<Session> | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  /** A wrong password is not tried twice: accounts get locked by that. Nor is a host that is too old. */
  #refusal: unknown;
  readonly #silence = new Silence();
  #closing: Promise<void> | undefined;

  constructor(endpoint: XapiEndpoint, options: XapiClientOptions = {}) {
    this.#settings = { ...defaults, ...options };
    this.#source = new SessionSource(endpoint, this.#settings.loginDeadlineMs);
  }

  /** Calls a method of XAPI; the session goes in front of the parameters. Rejects with {@link XapiError} or XapiConnectionError. */
  async call<T>(method: string, ...params: readonly XapiValue[]): Promise<T> {
    clearTimeout(this.#idleTimer);
    const work = this.#callInSession(method, params);
    this.#active.add(work);
    try {
      return (await work) as T;
    } finally {
      this.#active.delete(work);
      if (this.#active.size === 0) this.#startIdleTimer();
    }
  }

  /** Gives the session back and closes all connections, within two seconds. Later calls are refused. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #callInSession(method: string, params: readonly XapiValue[]): Promise<unknown> {
    const opening = this.#openSession();
    const session = await opening;
    try {
      return await this.#send(session, method, params);
    } catch (error) {
      if (!isOver(session, error)) throw error;
      if (this.#session === opening) this.#session = undefined;
      return await this.#send(await this.#openSession(), method, params);
    }
  }

  async #send(session: Session, method: string, params: readonly XapiValue[]): Promise<unknown> {
    this.counters.calls += 1;
    if (isWriting(method)) this.counters.writingCalls += 1;
    const since = performance.now();
    const request = session.transport.request(method, [session.ref, ...params], this.#settings.callDeadlineMs);
    const reply = await request.catch((error: unknown) => {
      // A call that changes something may take its time for reasons of its own.
      if (!isWriting(method)) this.#fellSilent(error, since);
      throw error;
    });
    if (!reply.ok) throw new XapiError(method, reply.description);
    return reply.value;
  }

  #openSession(): Promise<Session> {
    if (this.#closing !== undefined) return Promise.reject(clientClosed());
    const failure = this.#refusal ?? this.#silence.failure;
    if (failure !== undefined) return Promise.reject(failure);
    this.#session ??= this.#logIn();
    return this.#session;
  }

  #fellSilent(error: unknown, since: number): void {
    this.#silence.failed(error, since);
    if (this.#silence.failure !== undefined) this.#session = undefined;
  }

  async #logIn(): Promise<Session> {
    const since = performance.now();
    try {
      const session = await this.#source.logIn();
      this.counters.logins += 1;
      this.#silence.over();
      return session;
    } catch (error) {
      const explained = await this.#settings.explain(error);
      this.#session = undefined;
      this.#silence.failed(explained, since);
      if (error instanceof XennetError && lasting.has(error.code)) this.#refusal = explained;
      throw explained;
    }
  }

  /** The timer keeps the process alive on purpose: a session left behind counts against XAPI's limit for 24 hours. */
  #startIdleTimer(): void {
    clearTimeout(this.#idleTimer);
    if (this.#closing !== undefined) return;
    this.#idleTimer = setTimeout(() => void this.#logOut(), this.#settings.idleMs);
  }

  #logOut(): Promise<void> {
    const opening = this.#session;
    this.#session = undefined;
    const logout = opening === undefined ? Promise.resolve() : this.#endSession(opening);
    const done = logout.finally(() => {
      this.#logouts.delete(done);
      if (this.#active.size === 0) this.#source.closeIdle();
    });
    this.#logouts.add(done);
    return done;
  }

  async #endSession(opening: Promise<Session>): Promise<void> {
    const session = await opening.catch(() => undefined);
    // A login that failed was reported to the calls that waited for it.
    if (session === undefined) return;
    try {
      const reply = await session.transport.request("session.logout", [session.ref], logoutDeadlineMs);
      if (!reply.ok && reply.description[0] !== "SESSION_INVALID") {
        throw new XapiError("session.logout", reply.description);
      }
      this.counters.logouts += 1;
    } catch (error) {
      this.#warn(error);
    }
  }

  async #shutDown(): Promise<void> {
    clearTimeout(this.#idleTimer);
    try {
      await withDeadline(closeMs, clientClosed, async () => {
        await this.#drain();
        await this.#logOut();
        await Promise.all(this.#logouts);
      });
    } catch {
      // Out of time. A logout that is cut off now warns by itself.
    } finally {
      this.#source.destroy();
    }
  }

  /** Waits for the calls under way; those that take too long lose their session. */
  async #drain(): Promise<void> {
    const calls = Promise.allSettled(this.#active);
    await withDeadline(drainMs, clientClosed, () => calls).catch(() => undefined);
  }

  #warn(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#settings.onWarning(`The XAPI session could not be given back; it ends by itself later. ${reason}`);
  }
}

/**
 * True when the call did nothing and another session may serve it: XAPI checks the session before anything else, and a master
 * that cannot be connected to was sent nothing. The pool may have another one by now.
 */
function isOver(session: Session, error: unknown): boolean {
  if (hasXapiCode(error, "SESSION_INVALID", "HOST_IS_SLAVE")) return true;
  const wasFollowed = session.transport.peer.sentBy !== undefined;
  return wasFollowed && error instanceof XapiConnectionError && error.code === "XAPI_UNREACHABLE";
}
