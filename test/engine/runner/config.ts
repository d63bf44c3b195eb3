import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parse, stringify } from "yaml";
import type { PassphraseSecrets } from "./secrets.ts";
import { type PropertyMap, Secret } from "./values.ts";

interface ConfigFile {
  encryptionsalt?: string;
  config?: { [key: string]: string | number | boolean | { secure?: string } };
}

/** Config of a stack, by full key (`xennet:host`). A secret value is a {@link Secret}. */
export type StackConfig = Readonly<Record<string, string | Secret>>;

/** The encryption salt of the stack's config file, if it has one yet. */
export function readSalt(file: string): string | undefined {
  return readConfigFile(file).encryptionsalt;
}

/** Reads `Pulumi.<stack>.yaml`. */
export function readConfig(file: string, secrets: PassphraseSecrets): StackConfig {
  const entries = Object.entries(readConfigFile(file).config ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, readValue(key, value, secrets)]));
}

/** Sets one value; a key without namespace belongs to the project. */
export function writeConfig(
  file: string,
  project: string,
  key: string,
  value: string | Secret,
  secrets: PassphraseSecrets,
): void {
  const content = readConfigFile(file);
  const fullKey = key.includes(":") ? key : `${project}:${key}`;
  const stored = value instanceof Secret ? { secure: secrets.encrypt(String(value.value)) } : value;
  const config = { ...content.config, [fullKey]: stored };
  writeFileSync(file, stringify({ ...content, encryptionsalt: secrets.salt, config }), { mode: 0o600 });
}

/** The config as the program gets it: `PULUMI_CONFIG` and `PULUMI_CONFIG_SECRET_KEYS`. */
export function configEnvironment(config: StackConfig): Record<string, string> {
  const values = Object.entries(config).map(([key, value]) => [longKey(key), plainText(value)]);
  const secretKeys = Object.entries(config).filter(([, value]) => value instanceof Secret);
  return {
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(values)),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys.map(([key]) => longKey(key))),
  };
}

/** The config as inputs of the dynamic provider: every key, with its namespace. */
export function configInputs(config: StackConfig): PropertyMap {
  return { ...config };
}

function readConfigFile(file: string): ConfigFile {
  return existsSync(file) ? ((parse(readFileSync(file, "utf8")) as ConfigFile | null) ?? {}) : {};
}

function readValue(key: string, value: unknown, secrets: PassphraseSecrets): string | Secret {
  if (typeof value !== "object" || value === null) return String(value);
  const { secure } = value as { secure?: unknown };
  if (typeof secure !== "string") {
    throw new Error(`The stack runner supports config values that are text; ${key} is structured.`);
  }
  return new Secret(secrets.decrypt(secure));
}

function longKey(key: string): string {
  const colon = key.indexOf(":");
  return `${key.slice(0, colon)}:config:${key.slice(colon + 1)}`;
}

function plainText(value: string | Secret): string {
  return value instanceof Secret ? String(value.value) : value;
}
