import { Agent, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { XennetError } from "../core/errors";
import { isDisagreement, type LegacyOffer, legacyTls, offerOf, usesLegacyTls } from "./legacy-tls";
import { type Distrust, judge, type Trust } from "./trust";
import type { Tunnel } from "./tunnel";

/** How a connection that never came to be is reported. */
export interface ConnectFailures {
  untrusted(distrust: Distrust): Error;
  unreachable(cause: Error): Error;
  /** Nothing but old TLS is offered, and may not be used. */
  legacyOnly(offer: LegacyOffer): Error;
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
    const { trust, failures } = this.#options;
    const legacy = usesLegacyTls(trust);
    let socket: TLSSocket;
    try {
      socket = await this.#connect(options, legacy, signal);
    } catch (error) {
      if (!legacy && isDisagreement(error as Error)) throw await this.#explain(options, error as Error, signal);
      throw error;
    }
    const distrust = judge(socket, trust);
    if (distrust === undefined) return socket;
    discard(socket);
    throw failures.untrusted(distrust);
  }

  /** A handshake which shows what the host has to offer, and over which nothing is sent. */
  async #explain(options: RequestOptions, cause: Error, signal: AbortSignal): Promise<Error> {
    const { trust, failures } = this.#options;
    let socket: TLSSocket;
    try {
      socket = await this.#connect(options, true, signal);
    } catch {
      // It is not about old TLS, then; the first error says more.
      return cause;
    }
    const distrust = trust.fingerprint === undefined ? undefined : judge(socket, trust);
    const error = distrust === undefined ? failures.legacyOnly(offerOf(socket)) : failures.untrusted(distrust);
    discard(socket);
    return error;
  }

  /** Resolves once the handshake is done, whatever certificate it showed. */
  async #connect(options: RequestOptions, legacy: boolean, signal: AbortSignal): Promise<TLSSocket> {
    const { trust, tunnel } = this.#options;
    const host = options.host ?? "localhost";
    const port = Number(options.port);
    const channel = await tunnel?.dial(host, port, signal);
    const socket = connect({
      ...{ host, port },
      ...(channel === undefined ? {} : { socket: channel }),
      // Every handshake shows the certificate: no session is offered for resumption.
      rejectUnauthorized: false,
      ...serverName(host),
      ...(trust.ca === undefined ? {} : { ca: trust.ca }),
      ...(legacy ? legacyTls : {}),
    });
    if (channel !== undefined) tie(socket, channel);
    try {
      await handshake(socket, signal);
      return socket;
    } catch (error) {
      discard(socket);
      throw error;
    }
  }
}

/** Whatever a dying socket still reports is a consequence of why it is given up. */
export function discard(socket: TLSSocket): void {
  socket.on("error", () => {}).destroy();
}

/** Each ends with the other. What nobody reads any more is drained: a channel of ssh2 does not close before its end was read. */
function tie(socket: TLSSocket, channel: Duplex): void {
  // Taken over from the channel otherwise: a connection that XAPI ended while idle would be used again, and never answer.
  socket.allowHalfOpen = false;
  socket.once("close", () => channel.resume().destroy());
  channel.once("close", () => socket.destroy());
}

/** Resolves once the handshake is done, whatever certificate it showed. */
export function handshake(socket: TLSSocket, signal: AbortSignal): Promise<void> {
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

/** TLS names hosts, never addresses. */
export function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

/** No connection came to be in time. */
export function timedOut(ms: number): Error {
  return Object.assign(new Error(`no connection within ${ms / 1000} s`), { code: "ETIMEDOUT" });
}
