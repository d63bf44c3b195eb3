import { quoted } from "../core/foreign-text";
import { configCommand, defaultProfile } from "../core/settings";
import type { Problem } from "../validation/problem";
import { fromEnvironment, type ProfileKey, profileKeys, type SettingSources, type Settings } from "./profile-keys";

/** The settings found for a profile, or why they cannot be read. */
export interface FoundSettings {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
}

/** Host profiles by name, each with the keys that are set. */
export type HostMap = ReadonlyMap<string, ReadonlyMap<ProfileKey, string>>;

/** The flat keys for `default`, otherwise an entry of `xennet:hosts`; the environment goes first. */
export function findSettings(profile: string, sources: SettingSources): FoundSettings {
  if (profile === defaultProfile) {
    const settings: Settings = (key) =>
      fromEnvironment(sources.env, key) ?? (sources.config(`xennet:${key}`) || undefined);
    return { settings, problems: [] };
  }
  const stored = parseHosts("xennet:hosts", sources.config("xennet:hosts"));
  const overriding = parseHosts("XENNET_HOSTS", fromEnvironment(sources.env, "hosts"));
  const layers = [overriding.hosts.get(profile), stored.hosts.get(profile)];
  const problems = [...stored.problems, ...overriding.problems];
  if (problems.length === 0 && layers.every((layer) => layer === undefined)) {
    problems.push(unknownProfile(profile, [...stored.hosts.keys(), ...overriding.hosts.keys()]));
  }
  const settings: Settings = (key) => layers.find((layer) => layer?.has(key))?.get(key);
  return { settings, problems };
}

/** Reads the JSON object host name → settings. Messages never quote values, which may be secret. */
export function parseHosts(source: string, text: string | undefined): { hosts: HostMap; problems: Problem[] } {
  const hosts = new Map<string, ReadonlyMap<ProfileKey, string>>();
  if (text === undefined || text === "") return { hosts, problems: [] };
  const object = parseObject(text);
  if (object === undefined) {
    const wanted = 'expected a JSON object such as {"lab": {"host": "192.0.2.7"}}';
    return { hosts, problems: [{ property: source, reason: `${wanted}, found text that is none` }] };
  }
  const problems: Problem[] = [];
  for (const [name, entry] of Object.entries(object)) {
    const { settings, problem } = parseEntry(entry);
    if (problem !== undefined) problems.push({ property: `${source}.${name}`, reason: problem });
    hosts.set(name, settings);
  }
  return { hosts, problems };
}

function parseEntry(entry: unknown): { settings: ReadonlyMap<ProfileKey, string>; problem?: string } {
  const settings = new Map<ProfileKey, string>();
  if (!isObject(entry)) return { settings, problem: "expected a JSON object with the host's settings" };
  for (const [key, value] of Object.entries(entry)) {
    if (!isProfileKey(key))
      return { settings, problem: `unknown key ${quoted(key)}; known are ${profileKeys.join(", ")}` };
    // `pulumi config set --path` stores true and false as such.
    const isSwitch = key === "allowLegacyCrypto" && typeof value === "boolean";
    if (typeof value !== "string" && typeof value !== "number" && !isSwitch) {
      return { settings, problem: `expected a text as ${key}, found ${Array.isArray(value) ? "array" : typeof value}` };
    }
    if (value !== "") settings.set(key, String(value));
  }
  return { settings };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // The parser's message quotes the text, which holds passwords.
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isProfileKey(key: string): key is ProfileKey {
  return (profileKeys as readonly string[]).includes(key);
}

function unknownProfile(profile: string, known: readonly string[]): Problem {
  const names = [...new Set(known), defaultProfile].map((name) => `${quoted(name)}`).join(", ");
  const command = configCommand(profile, "host", { value: "<address>" });
  return {
    property: "xennet:hosts",
    reason: `expected a host profile named ${quoted(profile)}, found ${names}. Run "${command}" to start one.`,
  };
}
