import { withDeadline } from "../core/deadline";
import { XennetError } from "../core/errors";
import { Limit } from "../core/limit";
import { whileWaiting } from "../core/waiting";
import {
  clientClosed,
  connectionLost,
  faulty,
  legacyOnly,
  nameOf,
  notXapi,
  type Peer,
  stopped,
  timedOut,
  tooLarge,
  unreachable,
  untrusted,
} from "./connection-errors";
import { addressOf } from "./endpoint";
import type { Trust } from "./trust";
import type { Tunnel } from "./tunnel";
import { VerifiedAgent } from "./verified-agent";
import { type Answer, exchange, MalformedAnswer } from "./wire";
import { AnswerStopped, AnswerTooLarge } from "./xml-limits";
import { Fault, type XapiValue } from "./xml-rpc";

/** XAPI's answer to one request. */
export type Reply =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      /** The error code, then its parameters. */
      readonly description: readonly string[];
      /** With HOST_IS_SLAVE, since 24.1 and on request: SHA-256 of the master's certificate. */
      readonly masterThumbprint: string | undefined;
    };

const connectDeadlineMs = 15_000;
/** A tunnel may have to be built first, within limits and with messages of its own. */
const tunnelDeadlineMs = 22_000;
const requestsAtOnce = 8;
const thumbprint = {
  request: "x-xenapi-request-host-certificate-thumbprint",
  response: "x-xenapi-response-host-certificate-thumbprint",
};

/** The connections to one host: verified, reused, at most eight requests on the wire. */
export class XapiTransport {
  readonly peer: Peer;
  readonly #agent: VerifiedAgent;
  readonly #limit = new Limit(requestsAtOnce);
  readonly #host: string;
  readonly #port: number;
  #destroyed = false;

  constructor(peer: Peer, trust: Trust, tunnel?: Tunnel) {
    this.peer = peer;
    const { host, port } = addressOf(peer.url);
    this.#host = host;
    this.#port = port;
    const failures = {
      untrusted: untrusted.bind(undefined, peer),
      unreachable: unreachable.bind(undefined, peer),
      legacyOnly: legacyOnly.bind(undefined, peer, trust),
    };
    const deadlineMs = tunnel === undefined ? connectDeadlineMs : tunnelDeadlineMs;
    this.#agent = new VerifiedAgent({ trust, failures, deadlineMs, tunnel });
  }

  /** Sends one request. A reading request whose connection broke is sent once more, a writing one never. */
  request(method: string, params: readonly XapiValue[], deadlineMs: number): Promise<Reply> {
    return this.#limit.run(async () => {
      try {
        return await this.#attempt(method, params, deadlineMs);
      } catch (error) {
        const lost = error instanceof XennetError && error.code === "XAPI_CONNECTION_LOST";
        if (!lost || isWriting(method)) throw error;
        return await this.#attempt(method, params, deadlineMs);
      }
    });
  }

  closeIdle(): void {
    this.#agent.closeIdle();
  }

  /** Closes all connections for good: what still waits for its turn is not sent any more. */
  destroy(): void {
    this.#destroyed = true;
    this.#agent.destroy();
  }

  async #attempt(method: string, params: readonly XapiValue[], deadlineMs: number): Promise<Reply> {
    if (this.#destroyed) throw clientClosed();
    const writing = isWriting(method);
    const onExpiry = () => timedOut(this.peer, method, deadlineMs, writing);
    const answered = withDeadline(deadlineMs, onExpiry, async (signal) => {
      try {
        const headers = { [thumbprint.request]: "sha-256:master" };
        return await exchange(method, params, {
          host: this.#host,
          port: this.#port,
          agent: this.#agent,
          headers,
          signal,
        });
      } catch (error) {
        if (error instanceof XennetError) throw error;
        if (error instanceof MalformedAnswer) throw notXapi(this.peer, method, writing, error);
        if (error instanceof Fault) throw faulty(this.peer, method, writing, error);
        if (error instanceof AnswerTooLarge) throw tooLarge(this.peer, method, writing, error);
        if (error instanceof AnswerStopped) throw stopped(this.peer, method, writing, error);
        throw connectionLost(this.peer, method, writing, error);
      }
    });
    const answer = await whileWaiting(`the answer of XAPI at ${nameOf(this.peer)} to ${method}`, answered);
    return this.#decode(method, answer);
  }

  #decode(method: string, { value, headers }: Answer): Reply {
    // What a struct only inherits is no member of it.
    const { Status, Value = "", ErrorDescription } = membersOf(value);
    if (Status === "Success") return { ok: true, value: Value };
    if (Status !== undefined && Array.isArray(ErrorDescription)) {
      const announced = headers[thumbprint.response];
      const masterThumbprint = typeof announced === "string" ? announced : undefined;
      return { ok: false, description: ErrorDescription.map(String), masterThumbprint };
    }
    throw notXapi(this.peer, method, isWriting(method), { status: 200 });
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** False for calls that change nothing a user would miss, which may therefore be sent again. */
export function isWriting(method: string): boolean {
  return !/\.get_[A-Za-z0-9_]+$/.test(method) && method !== loginMethod;
}

/** The only login call: repeating one leaves at most a session behind that XAPI collects by itself. */
export const loginMethod = "session.login_with_password";
