import { printableText } from "../core/foreign-text";
import { redact } from "../core/redact";
import { Claims } from "../hosts/claims";
import { Host } from "../hosts/host";
import type { SettingSources } from "../hosts/profile-keys";
import { findSettings } from "../hosts/profile-settings";
import { usableProfile } from "../hosts/usable-profile";

/** The part of Pulumi's `Config` that is used: configuration values by full key, secrets in clear. */
export interface ConfigSource {
  get(key: string): string | undefined;
}

/** What the handlers of one provider process share: the stack's configuration, and one host a profile. */
class Runtime {
  readonly #hosts = new Map<string, Promise<Host>>();
  readonly #surroundings = { claims: new Claims(), seenIds: new Set<string>(), warn: showWarning };
  #config: ConfigSource | undefined;
  #closing = false;

  configure(config: ConfigSource): void {
    this.#config = config;
  }

  /** The host behind a profile name; an error that names the missing or malformed settings. */
  host(profile: string): Promise<Host> {
    const known = this.#hosts.get(profile);
    if (known !== undefined) return known;
    const made = this.#make(profile);
    this.#hosts.set(profile, made);
    made.catch(() => this.#hosts.delete(profile));
    return made;
  }

  /** The address of a profile's host, as far as the settings tell. */
  addressOf(profile: string): string | undefined {
    return findSettings(profile, this.#sources()).settings("host");
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.allSettled([...this.#hosts.values()].map(async (host) => (await host).close()));
  }

  async #make(profile: string): Promise<Host> {
    if (this.#closing) throw new Error("the provider is shutting down");
    return new Host(await usableProfile(profile, this.#sources()), this.#surroundings);
  }

  #sources(): SettingSources {
    return { config: (key) => this.#config?.get(key), env: process.env };
  }
}

/** The provider process has no way to attach a message to a resource; its stderr is shown under the stack. */
export function showWarning(text: string): void {
  process.stderr.write(`warning: ${printableText(redact(text))}\n`);
}

export const runtime = new Runtime();
