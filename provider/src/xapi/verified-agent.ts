import { Agent, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { XennetError } from "../core/errors";
import { type Distrust, judge, type Trust } from "./trust";
import type { Tunnel } from "./tunnel";

/** How a connection that never came to be is reported. */
export interface ConnectFailures {
  untrusted(distrust: Distrust): Error;
  unreachable(cause: Error): Error;
}

export interface VerifiedAgentOptions {
  readonly trust: Trust;
  readonly failures: ConnectFailures;
  /** For TCP, or the tunnel, and the TLS handshake together. */
  readonly deadlineMs: number;
  readonly tunnel?: Tunnel | undefined;
}

type Connected = (error: Error | null, socket: Duplex) => void;

/** Keeps connections alive, and hands out only those whose certificate was verified: nothing is written before. */
export class VerifiedAgent extends Agent {
  readonly #options: VerifiedAgentOptions;
  readonly #attempts = new Set<AbortController>();

  constructor(options: VerifiedAgentOptions) {
    super({ keepAlive: true });
    this.#options = options;
  }

  override createConnection(options: RequestOptions, connected?: Connected): undefined {
    const { deadlineMs, failures } = this.#options;
    const attempt = new AbortController();
    this.#attempts.add(attempt);
    const timer = setTimeout(() => attempt.abort(timedOut(deadlineMs)), deadlineMs);
    const settled = () => {
      clearTimeout(timer);
      this.#attempts.delete(attempt);
    };
    this.#open(options, attempt.signal).then(
      (socket) => {
        settled();
        connected?.(null, socket);
      },
      (cause: Error) => {
        settled();
        const error = cause instanceof XennetError ? cause : failures.unreachable(cause);
        // With an error nobody looks at the socket.
        (connected as ((error: Error) => void) | undefined)?.(error);
      },
    );
  }

  /** Closes the connections no request uses. */
  closeIdle(): void {
    this.#closeFree();
    // The connection over which the last answer came is free a moment after the answer was read.
    setImmediate(() => this.#closeFree());
  }

  /** Closes all connections, also those being made. */
  override destroy(): void {
    for (const attempt of this.#attempts) attempt.abort(new Error("the connection was given up"));
    super.destroy();
  }

  #closeFree(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  async #open(options: RequestOptions, signal: AbortSignal): Promise<TLSSocket> {
    const { trust, failures, tunnel } = this.#options;
    const host = options.host ?? "localhost";
    const port = Number(options.port);
    const channel = await tunnel?.dial(host, port, signal);
    const socket = connect({
      ...{ host, port },
      ...(channel === undefined ? {} : { socket: channel }),
      // Every handshake shows the certificate: no session is offered for resumption.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(trust.ca === undefined ? {} : { ca: trust.ca }),
    });
    if (channel !== undefined) tie(socket, channel);
    try {
      await handshake(socket, signal);
      const distrust = judge(socket, trust);
      if (distrust !== undefined) throw failures.untrusted(distrust);
      return socket;
    } catch (error) {
      // Whatever the dying socket still reports is a consequence of this error.
      socket.on("error", () => {}).destroy();
      throw error;
    }
  }
}

/** Each ends with the other. What nobody reads any more is drained: a channel of ssh2 does not close before its end was read. */
function tie(socket: TLSSocket, channel: Duplex): void {
  // Taken over from the channel otherwise: a connection that XAPI ended while idle would be used again, and never answer.
  socket.allowHalfOpen = false;
  socket.once("close", () => channel.resume().destroy());
  channel.once("close", () => socket.destroy());
}

/** Resolves once the handshake is done, whatever certificate it showed. */
function handshake(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      socket.off("error", onError).off("close", onClose).off("secureConnect", onSecure);
      signal.removeEventListener("abort", onAbort);
      finish();
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () => onError(new Error("the connection was closed during the TLS handshake"));
    const onAbort = () => onError(signal.reason as Error);
    const onSecure = () => settle(resolve);
    socket.on("error", onError).on("close", onClose).on("secureConnect", onSecure);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
}

function timedOut(ms: number): Error {
  return Object.assign(new Error(`no connection within ${ms / 1000} s`), { code: "ETIMEDOUT" });
}
