import type { Duplex } from "node:stream";
import { XennetError } from "../core/errors";
import { Silence } from "../core/silence";
import { whileWaiting } from "../core/waiting";
import { probeBanner } from "./banner";
import { connectSsh } from "./ssh";
import type { CommandResult, SshConnection } from "./ssh-connection";
import { endpointName, type SshEndpoint } from "./ssh-endpoint";
import { isConnectionLoss, SshError } from "./ssh-errors";

/** How many of each were done on a host. */
export interface HostCounters {
  logins: number;
  execs: number;
  banners: number;
  /** Runs of `xennet transact`. */
  applies: number;
  /** TCP connections opened from the host over the pooled connection. */
  forwards: number;
}

export interface HostLinkOptions {
  readonly endpoint: SshEndpoint;
  readonly counters: HostCounters;
  readonly idleMs: number;
  readonly connectTimeoutMs?: number | undefined;
  /** Makes another error of why a login failed, for who knows more about the host than its SSH server. */
  readonly explain?: ((error: unknown) => Promise<unknown>) | undefined;
}

const lasting = new Set(["SSH_AUTH_FAILED", "SSH_LEGACY_CRYPTO"]);

/** The one pooled SSH connection to a host: opened when first needed, closed when nobody has used it for a while. */
export class HostLink {
  readonly #options: HostLinkOptions;
  readonly #shut = new AbortController();
  #pooled: Promise<SshConnection> | undefined;
  /** Connections that failed a command, and may still carry others. */
  readonly #retired = new Set<SshConnection>();
  #users = 0;
  #idle: NodeJS.Timeout | undefined;
  /** A wrong password or key is not tried twice: accounts get locked by that. Nor is a host that is too old. */
  #refusal: XennetError | undefined;
  readonly #silence = new Silence();

  constructor(options: HostLinkOptions) {
    this.#options = options;
  }

  /** Keeps the connection open while `work` runs. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    const release = this.#hold();
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Resolves once the pooled connection stands. */
  async open(): Promise<void> {
    await this.use(() => this.#connection());
  }

  /** Runs a script over the pooled connection, or over the one given. */
  run(script: string, via?: SshConnection): Promise<CommandResult> {
    return this.use(async () => {
      const pooled = via === undefined ? this.#connection() : Promise.resolve(via);
      const connection = await pooled;
      this.#options.counters.execs += 1;
      const since = performance.now();
      try {
        return await whileWaiting(
          `an answer of dom0 at ${endpointName(this.#options.endpoint)}`,
          connection.run(script),
        );
      } catch (error) {
        if (isConnectionLoss(error) && this.#pooled === pooled) {
          this.#retire(connection);
          this.#silence.failed(error, since);
        }
        throw error;
      }
    });
  }

  /** Opens a TCP connection from the host; the pooled connection stays open as long as it. */
  async forward(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const release = this.#hold();
    try {
      const channel = await this.#openForward(host, port, signal);
      channel.once("close", release);
      return channel;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Logs in anew, beside the pooled connection. The caller ends it. */
  async login(signal?: AbortSignal): Promise<SshConnection> {
    const { endpoint, counters, connectTimeoutMs, explain } = this.#options;
    const signals = signal === undefined ? [this.#shut.signal] : [signal, this.#shut.signal];
    try {
      const login = connectSsh(endpoint, { timeoutMs: connectTimeoutMs, signal: AbortSignal.any(signals) });
      const connection = await whileWaiting(`the SSH login at ${endpointName(endpoint)}`, login);
      counters.logins += 1;
      return connection;
    } catch (error) {
      throw explain === undefined ? error : await explain(error);
    }
  }

  /** Checks by a new TCP connection that the SSH server can still be reached. */
  async banner(timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#options.counters.banners += 1;
    await probeBanner(this.#options.endpoint, { timeoutMs, signal });
  }

  /** Ends the connection for good; what still runs over it fails as closed. */
  async close(): Promise<void> {
    this.#shut.abort();
    clearTimeout(this.#idle);
    await Promise.all([this.#drop(), ...[...this.#retired].map((connection) => connection.end())]);
  }

  /** Opening a connection changes nothing, so one that met a broken SSH connection is opened again over a new one. */
  async #openForward(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    for (let isLast = false; ; isLast = true) {
      const pooled = this.#connection();
      const connection = await orAborted(pooled, signal);
      this.#options.counters.forwards += 1;
      try {
        return await connection.forward(host, port, signal);
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
        if (this.#pooled === pooled) this.#retire(connection);
        if (isLast) throw error;
      }
    }
  }

  /** Keeps the connection open until the function it answers is called. */
  #hold(): () => void {
    this.#users += 1;
    clearTimeout(this.#idle);
    return () => {
      this.#users -= 1;
      const isIdle = this.#users === 0 && !this.#shut.signal.aborted;
      if (isIdle) this.#idle = setTimeout(() => void this.#drop(), this.#options.idleMs);
    };
  }

  #connection(): Promise<SshConnection> {
    if (this.#shut.signal.aborted) {
      return Promise.reject(new SshError("SSH_CLOSED", "The connection to the host was closed by this process."));
    }
    const failure = this.#refusal ?? this.#silence.failure;
    if (failure !== undefined) return Promise.reject(failure);
    this.#pooled ??= this.#pool();
    return this.#pooled;
  }

  #pool(): Promise<SshConnection> {
    const since = performance.now();
    const opening = this.login();
    const forget = () => {
      if (this.#pooled === opening) this.#pooled = undefined;
    };
    opening.then(
      (connection) => {
        this.#silence.over();
        return connection.whenClosed().then(forget);
      },
      (error: unknown) => {
        forget();
        this.#silence.failed(error, since);
        if (error instanceof XennetError && lasting.has(error.code)) this.#refusal = error;
      },
    );
    return opening;
  }

  /** Its end may not have been noticed yet, or it refuses commands: the next must not go the same way. */
  #retire(connection: SshConnection): void {
    this.#pooled = undefined;
    this.#retired.add(connection);
    void connection.whenClosed().then(() => this.#retired.delete(connection));
    connection.retire();
  }

  async #drop(): Promise<void> {
    const pooled = this.#pooled;
    this.#pooled = undefined;
    // A login that failed has told its own caller.
    const connection = await pooled?.catch(() => undefined);
    await connection?.end();
  }
}

/** The login goes on for others that wait for it. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
