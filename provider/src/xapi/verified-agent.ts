import { Agent, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { type Distrust, judge, type Trust } from "./trust";

/** How a connection that never came to be is reported. */
export interface ConnectFailures {
  untrusted(distrust: Distrust): Error;
  unreachable(cause: Error): Error;
}

type Connected = (error: Error | null, socket: Duplex) => void;

/** Keeps connections alive, and hands out only those whose certificate was verified: nothing is written before. */
export class VerifiedAgent extends Agent {
  readonly #trust: Trust;
  readonly #failures: ConnectFailures;
  readonly #deadlineMs: number;
  readonly #connecting = new Set<TLSSocket>();

  constructor(trust: Trust, failures: ConnectFailures, deadlineMs: number) {
    super({ keepAlive: true });
    this.#trust = trust;
    this.#failures = failures;
    this.#deadlineMs = deadlineMs;
  }

  override createConnection(options: RequestOptions, connected?: Connected): undefined {
    const socket = connect(this.#tlsOptions(options));
    this.#connecting.add(socket);
    const timer = setTimeout(() => socket.destroy(timedOut(this.#deadlineMs)), this.#deadlineMs);
    const settle = (error: Error | null) => {
      clearTimeout(timer);
      this.#connecting.delete(socket);
      socket.off("error", onError).off("close", onClose).off("secureConnect", onSecure);
      if (error !== null) {
        // Whatever the dying socket still reports is a consequence of the error given here.
        socket.on("error", () => {}).destroy();
      }
      connected?.(error, socket);
    };
    const onError = (cause: Error) => settle(this.#failures.unreachable(cause));
    const onClose = () => onError(new Error("the connection was closed during the TLS handshake"));
    const onSecure = () => {
      const distrust = judge(socket, this.#trust);
      settle(distrust === undefined ? null : this.#failures.untrusted(distrust));
    };
    socket.on("error", onError).on("close", onClose).on("secureConnect", onSecure);
  }

  /** Closes the connections no request uses. */
  closeIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /** Closes all connections, also those being made. */
  override destroy(): void {
    for (const socket of this.#connecting) socket.destroy();
    super.destroy();
  }

  #tlsOptions(options: RequestOptions) {
    const host = options.host ?? "localhost";
    return {
      host,
      port: Number(options.port),
      // Every handshake shows the certificate: no session is offered for resumption.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(this.#trust.ca === undefined ? {} : { ca: this.#trust.ca }),
    };
  }
}

function timedOut(ms: number): Error {
  return Object.assign(new Error(`no connection within ${ms / 1000} s`), { code: "ETIMEDOUT" });
}
