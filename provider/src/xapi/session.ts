import { registerSecret } from "../core/redact";
import { authFailed, clientClosed, configuredPeer, masterUnknown } from "./connection-errors";
import { trustOf, type XapiEndpoint } from "./endpoint";
import { XapiError } from "./errors";
import { loginMethod, type Reply, XapiTransport } from "./transport";
import { normalizeFingerprint, type Trust } from "./trust";

/** A session on the pool master. */
export interface Session {
  readonly ref: string;
  readonly transport: XapiTransport;
}

const apiVersion = "1.0";
/** Constant, because XAPI limits and collects sessions per originator. */
const originator = "pulumi-xennet";
const mostRedirects = 3;

/** Logs in to an endpoint's pool, following members to their master; keeps the connections it made. */
export class SessionSource {
  readonly #endpoint: XapiEndpoint;
  readonly #trust: Trust;
  readonly #deadlineMs: number;
  readonly #transports = new Map<string, XapiTransport>();
  #destroyed = false;

  constructor(endpoint: XapiEndpoint, deadlineMs: number) {
    this.#endpoint = endpoint;
    this.#trust = trustOf(endpoint);
    this.#deadlineMs = deadlineMs;
    registerSecret(endpoint.password);
  }

  /** Always starts at the configured host, so that a pool whose master died is found again. */
  async logIn(): Promise<Session> {
    let transport = this.#configured();
    for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
      const reply = await this.#ask(transport);
      if (reply.ok) {
        const ref = String(reply.value);
        registerSecret(ref);
        return { ref, transport };
      }
      const master = masterNamedBy(reply);
      if (master === undefined) throw this.#refused(transport, reply.description);
      transport = this.#master(transport, master, reply.masterThumbprint);
    }
    throw masterUnknown(transport.peer, mostRedirects);
  }

  /** The originator came with XenServer 6.2; whether a host before that passes over it, or refuses it, is not known of each. */
  async #ask(transport: XapiTransport): Promise<Reply> {
    const { username, password } = this.#endpoint;
    const params = [username, password, apiVersion];
    const reply = await transport.request(loginMethod, [...params, originator], this.#deadlineMs);
    const isTooMuch = !reply.ok && reply.description[0] === "MESSAGE_PARAMETER_COUNT_MISMATCH";
    return isTooMuch ? transport.request(loginMethod, params, this.#deadlineMs) : reply;
  }

  closeIdle(): void {
    for (const transport of this.#transports.values()) transport.closeIdle();
  }

  /** Closes all connections for good. */
  destroy(): void {
    this.#destroyed = true;
    for (const transport of this.#transports.values()) transport.destroy();
  }

  #configured(): XapiTransport {
    return this.#transport(configuredPeer(this.#endpoint), this.#trust);
  }

  /**
   * The address comes without a port, so the own one is kept. A pin, and what a tunnel vouches for, hold for one host: the
   * master is verified by the thumbprint that such a member announced, otherwise by authority.
   */
  #master(member: XapiTransport, address: string, announced: string | undefined): XapiTransport {
    const url = new URL(member.peer.url);
    url.hostname = address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
    const peer = { ...member.peer, url: url.origin, sentBy: member.peer.url };
    const fingerprint = announced === undefined ? undefined : normalizeFingerprint(announced);
    const { ca, vouched, allowLegacy } = this.#trust;
    // What a verified channel brought may be believed; whoever trusts an authority trusts it for the master as well.
    const believed = this.#trust.fingerprint !== undefined || vouched === true;
    return this.#transport(peer, believed ? { fingerprint, ca, allowLegacy } : { ca });
  }

  #transport(peer: XapiTransport["peer"], trust: Trust): XapiTransport {
    if (this.#destroyed) throw clientClosed();
    // Trust is part of the key: a connection made under one pin must not serve another.
    const key = JSON.stringify([peer.url, trust.fingerprint, trust.ca, trust.vouched]);
    let transport = this.#transports.get(key);
    if (transport === undefined) {
      transport = new XapiTransport(peer, trust, this.#endpoint.tunnel);
      this.#transports.set(key, transport);
    }
    return transport;
  }

  #refused(transport: XapiTransport, description: readonly string[]): XapiError {
    if (description[0] === "SESSION_AUTHENTICATION_FAILED") {
      return authFailed(transport.peer, this.#endpoint.username, description);
    }
    return new XapiError(loginMethod, description);
  }
}

function masterNamedBy(reply: Exclude<Reply, { ok: true }>): string | undefined {
  const [code, address] = reply.description;
  return code === "HOST_IS_SLAVE" ? address : undefined;
}
