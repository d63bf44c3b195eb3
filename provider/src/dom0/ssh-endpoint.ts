import { configCommand, defaultProfile } from "../core/settings";

/** Where and how to log in to a dom0, and how to recognise it. */
export interface SshEndpoint {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password?: string | undefined;
  /** The private key itself (OpenSSH or PEM text), not a file name. */
  readonly privateKey?: string | undefined;
  readonly passphrase?: string | undefined;
  /** Socket of an SSH agent, usually the value of SSH_AUTH_SOCK. */
  readonly agent?: string | undefined;
  /** Pinned host key: a public key line (`ssh-ed25519 AAAA…`) or a fingerprint (`SHA256:…`). */
  readonly hostKey?: string | undefined;
  /** An OpenSSH known_hosts file, looked at when no host key is pinned. */
  readonly knownHostsFile?: string | undefined;
  /** True to use SHA-1 and CBC where nothing better is offered; only with a pinned host key. */
  readonly allowLegacyCrypto?: boolean | undefined;
  /** The host profile the endpoint comes from: errors name its settings. */
  readonly profile?: string | undefined;
}

/** `host:port`, with brackets round an IPv6 address. */
export function endpointName(endpoint: Pick<SshEndpoint, "host" | "port">): string {
  return endpoint.host.includes(":") ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}

/** The configuration key of one of the endpoint's settings, as errors name it. */
export function settingName(endpoint: Pick<SshEndpoint, "profile">, key: string): string {
  const profile = endpoint.profile ?? defaultProfile;
  return profile === defaultProfile ? `xennet:${key}` : `xennet:hosts.${profile}.${key}`;
}

/** The command that sets one of the endpoint's settings. */
export function settingCommand(
  endpoint: Pick<SshEndpoint, "profile">,
  key: string,
  options: { value?: string; secret?: boolean } = {},
): string {
  return configCommand(endpoint.profile ?? defaultProfile, key, options);
}
