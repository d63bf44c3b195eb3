import { configCommand, defaultProfile } from "../core/settings";
import type { Problem } from "../validation/problem";
import { profileKeys, secretKeys, setCommand, settingName } from "./profile-keys";
import { parseHosts } from "./profile-settings";

/**
 * Finds passwords and private keys that were set without `--secret`. Works in the program process only, whose
 * environment has `PULUMI_CONFIG` and `PULUMI_CONFIG_SECRET_KEYS`: the SDK's provider process unwraps secrets before
 * `configure` sees them, so there nothing tells the difference.
 */
export function plainSecrets(env: Readonly<Record<string, string | undefined>>): Problem[] {
  const config = parseConfig(env["PULUMI_CONFIG"]);
  const secret = parseSecretKeys(env["PULUMI_CONFIG_SECRET_KEYS"]);
  if (secret === undefined) return [];
  const flat = secretKeys
    .filter((key) => config.has(`xennet:${key}`) && !secret.has(`xennet:${key}`))
    .map((key) => plain(settingName(defaultProfile, key), setCommand(defaultProfile, key)));
  return secret.has("xennet:hosts") ? flat : [...flat, ...plainInHosts(config.get("xennet:hosts"))];
}

/** Keys of ours in the stack's configuration that no setting has, e.g. misspelt ones; for the program process as well. */
export function unknownSettings(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>([...profileKeys, "hosts"].map((key) => `xennet:${key}`));
  return [...parseConfig(env["PULUMI_CONFIG"]).keys()].filter((key) => key.startsWith("xennet:") && !known.has(key));
}

/** Pulumi marks an object as secret when any value in it is, so a mixed one cannot be told from a secret one. */
function plainInHosts(text: string | undefined): Problem[] {
  const { hosts } = parseHosts("xennet:hosts", text);
  return [...hosts].flatMap(([profile, settings]) =>
    secretKeys
      .filter((key) => settings.has(key))
      .map((key) => plain(settingName(profile, key), configCommand(profile, key, { secret: true }))),
  );
}

function plain(property: string, command: string): Problem {
  return {
    property,
    reason: `is set without --secret, so it is in clear in the stack's configuration file. Run "${command}", and change it if that file was shared.`,
  };
}

function parseConfig(text: string | undefined): Map<string, string> {
  const entries = Object.entries(JSON.parse(text || "{}") as Record<string, string>);
  return new Map(entries.map(([key, value]) => [cleanKey(key), value]));
}

function parseSecretKeys(text: string | undefined): Set<string> | undefined {
  return text === undefined ? undefined : new Set((JSON.parse(text || "[]") as string[]).map(cleanKey));
}

/** The language host writes keys as `<namespace>:config:<name>`. */
function cleanKey(key: string): string {
  return key.replace(/^([^:]+):config:/, "$1:");
}
