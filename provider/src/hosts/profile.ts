import { homedir } from "node:os";
import { join } from "node:path";
import { XennetError } from "../core/errors";
import { ownLines, quoted } from "../core/foreign-text";
import { registerSecret } from "../core/redact";
import { defaultProfile, environmentOverride } from "../core/settings";
import type { SshEndpoint } from "../dom0/ssh-endpoint";
import { normalisedCidr } from "../validation/cidr-list";
import type { Problem } from "../validation/problem";
import type { XapiEndpoint } from "../xapi/endpoint";
import { normalizeFingerprint } from "../xapi/trust";
import { allowsLegacy, missingPins } from "./legacy-crypto";
import { checkSettings, splitList } from "./profile-checks";
import {
  type ProfileKey,
  type SettingSources,
  type Settings,
  secretKeys,
  setCommand,
  settingName,
  type XapiWay,
} from "./profile-keys";
import { findSettings } from "./profile-settings";

/** A host as the stack's configuration and the environment describe it: where it is, and how to log in. */
export interface HostProfile {
  readonly name: string;
  /** With `xapiVia: "ssh"` its URL is as dom0 sees it. */
  readonly xapi: XapiEndpoint;
  readonly xapiVia: XapiWay;
  readonly ssh: SshEndpoint;
  /** Put in front of owners, so that two stacks of the same name can share a pool. */
  readonly ownerPrefix: string | undefined;
  /** Networks that keep reaching dom0 itself when a management port is forwarded; with prefix length. */
  readonly managementSources?: readonly string[] | undefined;
  /** Seconds until dom0 takes back a change that nobody confirmed; 10 to 300, absent: 30. */
  readonly confirmationWindow?: number | undefined;
  /** True where TLS 1.0 and SSH with SHA-1 may be used when nothing better is offered. */
  readonly allowLegacyCrypto?: boolean | undefined;
}

/** A profile, or everything that is wrong with it. */
export type ProfileResult =
  | { readonly ok: true; readonly profile: HostProfile }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      /** The profile as it is, where it lacks nothing but pins. */
      readonly unpinned?: HostProfile;
    };

/** Reads a profile; the environment overrides the configuration. Never throws, and registers the secrets it finds. */
export function resolveProfile(name: string, sources: SettingSources): ProfileResult {
  const { settings, problems: unreadable } = findSettings(name, sources);
  for (const key of secretKeys) registerSecret(settings(key));
  const problems = [
    ...unreadable,
    ...(unreadable.length > 0 ? [] : missing(name, settings)),
    ...checkSettings(name, settings),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const profile = build(name, settings, sources);
  const pins = missingPins(profile);
  return pins.length === 0 ? { ok: true, profile } : { ok: false, problems: pins, unpinned: profile };
}

/** The profile, or an error that lists all problems. */
export function requireProfile(name: string, sources: SettingSources): HostProfile {
  const result = resolveProfile(name, sources);
  if (result.ok) return result.profile;
  throw unusable(name, result.problems);
}

/** The error that lists the problems of a profile. */
export function unusable(name: string, problems: readonly Problem[]): XennetError {
  const lines = problems.map(({ property, reason }) => `${property}: ${reason}`);
  return new XennetError("CONFIG_INVALID", `The host profile ${quoted(name)} cannot be used. ${ownLines(lines)}`, {
    facts: { profile: name },
  });
}

function missing(profile: string, settings: Settings): Problem[] {
  const absent = (key: ProfileKey, what: string): Problem => ({
    property: settingName(profile, key),
    reason: `missing configuration: ${what}. Run "${setCommand(profile, key)}${key === "host" ? " <address>" : ""}", or set ${environmentOverride(profile, key)} in the environment.`,
  });
  const problems: Problem[] = [];
  const hasAddress =
    settings("host") !== undefined ||
    (settings("sshHost") !== undefined && (settings("xapiUrl") !== undefined || settings("xapiVia") === "ssh"));
  if (!hasAddress) problems.push(absent("host", "the address of the host"));
  if (settings("password") === undefined) problems.push(absent("password", "the password of the host's user"));
  return problems;
}

function build(name: string, settings: Settings, sources: SettingSources): HostProfile {
  const host = settings("host") ?? "";
  const username = settings("username") ?? "root";
  const password = settings("password") ?? "";
  const fingerprint = settings("xapiFingerprint");
  const xapiVia: XapiWay = settings("xapiVia") === "ssh" ? "ssh" : "direct";
  const allowLegacyCrypto = allowsLegacy(settings);
  const xapiHost = xapiVia === "ssh" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const xapi: XapiEndpoint = {
    url: new URL(settings("xapiUrl") ?? `https://${xapiHost}`).origin,
    username,
    password,
    fingerprint: fingerprint === undefined ? undefined : normalizeFingerprint(fingerprint),
    ca: settings("xapiCa"),
    allowLegacyCrypto,
    profile: name,
  };
  const ssh: SshEndpoint = {
    host: settings("sshHost") ?? host,
    port: Number(settings("sshPort") ?? 22),
    username: settings("sshUsername") ?? username,
    password: settings("sshPassword") ?? password,
    privateKey: settings("sshPrivateKey"),
    passphrase: settings("sshPrivateKeyPassphrase"),
    agent: agentOf(settings, sources.env),
    hostKey: settings("sshHostKey"),
    knownHostsFile: fileOf(settings("sshKnownHosts") ?? "~/.ssh/known_hosts"),
    allowLegacyCrypto,
    profile: name,
  };
  const ownerPrefix = settings("ownerPrefix") ?? findSettings(defaultProfile, sources).settings("ownerPrefix");
  const managementSources = splitList(settings("managementSources") ?? "").flatMap(
    (part) => normalisedCidr(part) ?? [],
  );
  const window = settings("confirmationWindow");
  const confirmationWindow = window === undefined ? undefined : Number(window);
  return { name, xapi, xapiVia, ssh, ownerPrefix, managementSources, confirmationWindow, allowLegacyCrypto };
}

/** The user's own agent is asked only where nothing was said about how to log in. */
function agentOf(settings: Settings, env: SettingSources["env"]): string | undefined {
  const agent = settings("sshAgent");
  if (agent !== undefined) return fileOf(agent);
  const chosen = settings("sshPrivateKey") !== undefined || settings("sshPassword") !== undefined;
  return chosen ? undefined : env["SSH_AUTH_SOCK"] || undefined;
}

function fileOf(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}
