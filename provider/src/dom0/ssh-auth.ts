import type { Config } from "node-ssh";
import { quoted } from "../core/foreign-text";
import { knownKeyTypes, privateKeyType, unknownKeyType } from "./key-types";
import { endpointName, type SshEndpoint, settingCommand, settingName } from "./ssh-endpoint";
import { SshError } from "./ssh-errors";
import type { SshOffer } from "./ssh-offer";

type Method = "publickey" | "password" | "keyboard-interactive" | "agent";

/** The login methods of an endpoint in the order in which they are tried, and what became of them. */
export class AuthMethods {
  readonly #endpoint: SshEndpoint;
  readonly #methods: readonly Method[];
  readonly #tried: Method[] = [];
  #accepted: readonly string[] | undefined;

  /** Throws SSH_AUTH_MISSING when the endpoint has no method at all. */
  constructor(endpoint: SshEndpoint) {
    this.#endpoint = endpoint;
    this.#methods = methodsOf(endpoint);
    if (this.#methods.length > 0) return;
    throw new SshError(
      "SSH_AUTH_MISSING",
      `There is no way to log in to ${endpointName(endpoint)}: give a private key (${settingCommand(endpoint, "sshPrivateKey", { secret: true })} < key-file), a password (${settingCommand(endpoint, "password", { secret: true })}), or start an SSH agent (SSH_AUTH_SOCK).`,
    );
  }

  /** True once the host key was accepted and a login began. */
  get started(): boolean {
    return this.#tried.length > 0;
  }

  config(): Partial<Config> {
    const { password, privateKey, passphrase, agent } = this.#endpoint;
    return {
      ...(privateKey === undefined ? {} : { privateKey }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(agent === undefined ? {} : { agent }),
      ...(password === undefined ? {} : { password, ...keyboardInteractive(password) }),
      authHandler: (left, _partial, next) => {
        this.#accepted = left ?? this.#accepted;
        const method = this.#next();
        // ssh2 ends the attempt on `false`, which its type declarations leave out.
        (next as (method: Method | false) => void)(method ?? false);
      },
    };
  }

  /** Why the login failed; what the host offered tells whether it could know the key at all. */
  failure(cause: unknown, offer: SshOffer | undefined): SshError {
    return this.#unknownKeyType(cause, offer) ?? this.#refused(cause);
  }

  #unknownKeyType(cause: unknown, offer: SshOffer | undefined): SshError | undefined {
    const { privateKey } = this.#endpoint;
    const known = offer === undefined ? undefined : knownKeyTypes(offer);
    const type = privateKey === undefined ? undefined : privateKeyType(privateKey);
    if (offer === undefined || known === undefined || type === undefined || known.includes(type)) return undefined;
    if (!this.#tried.includes("publickey")) return undefined;
    return unknownKeyType(this.#endpoint, { type, known, offer, tried: this.#tried.join(", ") }, cause);
  }

  #refused(cause: unknown): SshError {
    const accepted = this.#accepted === undefined ? "" : `; the host accepts ${this.#accepted.join(", ")}`;
    return new SshError(
      "SSH_AUTH_FAILED",
      `${endpointName(this.#endpoint)} refused the login of ${quoted(this.#endpoint.username)}: tried ${this.#tried.join(", ")}${accepted}. Check ${["username", "sshPrivateKey", "password"].map((key) => settingName(this.#endpoint, key)).join(", ")}.`,
      { facts: { username: this.#endpoint.username, tried: this.#tried.join(", ") }, cause },
    );
  }

  #next(): Method | undefined {
    const method = this.#methods.find((candidate) => !this.#tried.includes(candidate) && this.#isAccepted(candidate));
    if (method !== undefined) this.#tried.push(method);
    return method;
  }

  #isAccepted(method: Method): boolean {
    return this.#accepted === undefined || this.#accepted.includes(method === "agent" ? "publickey" : method);
  }
}

/** The agent comes last: it may hold more keys than the host allows attempts. */
function methodsOf(endpoint: SshEndpoint): Method[] {
  const methods: Method[] = [];
  if (endpoint.privateKey !== undefined) methods.push("publickey");
  if (endpoint.password !== undefined) methods.push("password", "keyboard-interactive");
  if (endpoint.agent !== undefined) methods.push("agent");
  return methods;
}

/** Hosts with PAM may ask for the password as a question. */
function keyboardInteractive(password: string): Partial<Config> {
  return {
    tryKeyboard: true,
    onKeyboardInteractive: (_name, _instructions, _language, prompts, finish) =>
      finish(prompts.map((prompt) => (prompt.echo ? "" : password))),
  };
}
