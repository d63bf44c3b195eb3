import { quoted } from "../core/foreign-text";
import { configCommand, environmentOverride } from "../core/settings";
import type { Problem } from "../validation/problem";
import { certificateCommand } from "../xapi/connection-errors";
import { addressOf } from "../xapi/endpoint";
import { isLoopback } from "../xapi/tunnel";
import type { HostProfile } from "./profile";
import { type Settings, settingName } from "./profile-keys";

/** True where the profile takes TLS 1.0 and SSH with SHA-1. */
export function allowsLegacy(settings: Settings): boolean {
  return settings("allowLegacyCrypto") === "true";
}

/** The pins without which no old cryptography is used. */
export type PinKey = "xapiFingerprint" | "sshHostKey";

type Ways = Pick<HostProfile, "xapi" | "xapiVia" | "ssh">;

/** Those that are not set. With old cryptography only a pin says which host it is: a chain of certificates signed with SHA-1 can be forged. */
export function lackingPins({ xapi, xapiVia, ssh }: Ways): PinKey[] {
  const keys: PinKey[] = [];
  // XAPI on dom0's own loopback: the SSH host key has proved the machine.
  const isVouchedFor = xapiVia === "ssh" && isLoopback(addressOf(xapi.url).host);
  if (xapi.fingerprint === undefined && !isVouchedFor) keys.push("xapiFingerprint");
  if (ssh.hostKey === undefined) keys.push("sshHostKey");
  return keys;
}

/** Why a pin is asked for. */
export function lackOf(profile: string, key: PinKey): string {
  const what = key === "xapiFingerprint" ? "XAPI's certificate" : "the SSH host key";
  return `${settingName(profile, "allowLegacyCrypto")} needs ${what} pinned`;
}

/** How to pin what was not seen; `isFarOff` where only a login to dom0 leads to it. */
export function whereToRead({ name, xapi, xapiVia }: HostProfile, key: PinKey): { read: string; isFarOff: boolean } {
  const isXapi = key === "xapiFingerprint";
  const isFarOff = isXapi && xapiVia === "ssh";
  const console = isFarOff ? `the console of ${xapi.url}` : "the host's console";
  const shown = isXapi ? certificateCommand : "cat /etc/ssh/ssh_host_rsa_key.pub";
  const command = configCommand(name, key, { value: isXapi ? "<SHA-256 fingerprint>" : "ssh-rsa <key>" });
  const read = `Read it at ${console} with "${shown}" and run "${command}", or set ${environmentOverride(name, key)} in the environment.`;
  return { read, isFarOff };
}

/** A problem for each pin that a profile with old cryptography lacks, before anything is connected. */
export function missingPins(profile: HostProfile): Problem[] {
  if (profile.allowLegacyCrypto !== true) return [];
  return lackingPins(profile).map((key) => ({
    property: settingName(profile.name, key),
    reason: `missing configuration: ${lackOf(profile.name, key)}. ${whereToRead(profile, key).read}`,
  }));
}

/** What the user is told in every run. */
export function legacyWarning({ name, ssh, xapi, xapiVia }: HostProfile): string {
  const hosts = [...new Set([ssh.host, ...(xapiVia === "direct" ? [addressOf(xapi.url).host] : [])])].join(", ");
  return `Host profile ${quoted(name)} allows old cryptography (${settingName(name, "allowLegacyCrypto")}): TLS 1.0, and SSH with SHA-1 and CBC, are used with ${hosts} where nothing better is offered. Whoever controls the network in between may be able to read the password. Use it on a management network of its own, and run "${configCommand(name, "allowLegacyCrypto", { value: "false" })}" once the host is upgraded.`;
}
