import { configCommand, defaultProfile, environmentVariable } from "../core/settings";

/** What a host profile can hold: stack configuration `xennet:<key>`, or `xennet:hosts` → name → key. */
export const profileKeys = [
  "host",
  "username",
  "password",
  "xapiUrl",
  "xapiVia",
  "xapiFingerprint",
  "xapiCa",
  "sshHost",
  "sshPort",
  "sshUsername",
  "sshPassword",
  "sshPrivateKey",
  "sshPrivateKeyPassphrase",
  "sshAgent",
  "sshHostKey",
  "sshKnownHosts",
  "ownerPrefix",
  "managementSources",
  "confirmationWindow",
  "allowLegacyCrypto",
] as const;
export type ProfileKey = (typeof profileKeys)[number];

/** How XAPI is reached: by HTTPS from here, or from dom0 over its SSH connection. */
export const xapiWays = ["direct", "ssh"] as const;
export type XapiWay = (typeof xapiWays)[number];

/** Keys whose values must not be in clear anywhere. */
export const secretKeys: readonly ProfileKey[] = [
  "password",
  "sshPassword",
  "sshPrivateKey",
  "sshPrivateKeyPassphrase",
];

/** Where settings come from. */
export interface SettingSources {
  /** Stack configuration by full key (`xennet:host`), e.g. `(key) => req.config.get(key)` of a dynamic provider. */
  config(key: string): string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The settings of one profile, and how to name them. */
export type Settings = (key: ProfileKey) => string | undefined;

/** A key as messages name it: `xennet:password`, or `xennet:hosts.<profile>.password`. */
export function settingName(profile: string, key: ProfileKey): string {
  return profile === defaultProfile ? `xennet:${key}` : `xennet:hosts.${profile}.${key}`;
}

/** The command that sets a key; a private key is read from its file. */
export function setCommand(profile: string, key: ProfileKey): string {
  const command = configCommand(profile, key, { secret: secretKeys.includes(key) });
  return key === "sshPrivateKey" || key === "xapiCa" ? `${command} < <file>` : command;
}

/** A variable of the environment; an empty one counts as not set. */
export function fromEnvironment(env: SettingSources["env"], key: string): string | undefined {
  return env[environmentVariable(key)] || undefined;
}
