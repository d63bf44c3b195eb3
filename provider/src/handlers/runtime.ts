import { redact } from "../core/redact";
import { Claims } from "../hosts/claims";
import { Host } from "../hosts/host";
import { requireProfile } from "../hosts/profile";

/** The part of Pulumi's `Config` that is used: configuration values by full key, secrets in clear. */
export interface ConfigSource {
  get(key: string): string | undefined;
}

/** What the handlers of one provider process share: the stack's configuration, and one host a profile. */
class Runtime {
  readonly #hosts = new Map<string, Host>();
  readonly #surroundings = { claims: new Claims(), seenIds: new Set<string>(), warn: showWarning };
  #config: ConfigSource | undefined;
  #closing = false;

  configure(config: ConfigSource): void {
    this.#config = config;
  }

  /** The host behind a profile name; an error that names the missing or malformed settings. */
  host(profile: string): Host {
    const known = this.#hosts.get(profile);
    if (known !== undefined) return known;
    if (this.#closing) throw new Error("the provider is shutting down");
    const sources = { config: (key: string) => this.#config?.get(key), env: process.env };
    const made = new Host(requireProfile(profile, sources), this.#surroundings);
    this.#hosts.set(profile, made);
    return made;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.allSettled([...this.#hosts.values()].map((host) => host.close()));
  }
}

/** The provider process has no way to attach a message to a resource; its stderr is shown under the stack. */
function showWarning(text: string): void {
  process.stderr.write(`warning: ${redact(text)}\n`);
}

export const runtime = new Runtime();
