import { configCommand, environmentOverride } from "../core/settings";
import type { Problem } from "../validation/problem";
import { addressOf } from "../xapi/endpoint";
import { isLoopback } from "../xapi/tunnel";
import type { HostProfile } from "./profile";
import { type ProfileKey, type Settings, settingName } from "./profile-keys";

/** True where the profile takes TLS 1.0 and SSH with SHA-1. */
export function allowsLegacy(settings: Settings): boolean {
  return settings("allowLegacyCrypto") === "true";
}

/** With old cryptography allowed only a pin says which host it is: a chain of certificates signed with SHA-1 can be forged. */
export function missingPins(profile: string, settings: Settings): Problem[] {
  if (!allowsLegacy(settings)) return [];
  const missing = (key: ProfileKey, what: string, value: string): Problem => ({
    property: settingName(profile, key),
    reason: `missing configuration: ${settingName(profile, "allowLegacyCrypto")} needs ${what} pinned. Compare it at the host's console and run "${configCommand(profile, key, { value })}", or set ${environmentOverride(profile, key)} in the environment. Without allowLegacyCrypto the next preview shows it, if the host is reached.`,
  });
  const problems: Problem[] = [];
  if (settings("xapiFingerprint") === undefined && !isVouchedFor(settings)) {
    problems.push(missing("xapiFingerprint", "XAPI's certificate", "<SHA-256 fingerprint>"));
  }
  if (settings("sshHostKey") === undefined) {
    problems.push(missing("sshHostKey", "the SSH host key", "ssh-rsa <key>"));
  }
  return problems;
}

/** What the user is told in every run. */
export function legacyWarning({ name, ssh, xapi, xapiVia }: HostProfile): string {
  const hosts = [...new Set([ssh.host, ...(xapiVia === "direct" ? [addressOf(xapi.url).host] : [])])].join(", ");
  return `Host profile "${name}" allows old cryptography (${settingName(name, "allowLegacyCrypto")}): TLS 1.0, and SSH with SHA-1 and CBC, are used with ${hosts} where nothing better is offered. Whoever controls the network in between may be able to read the password. Use it on a management network of its own, and run "${configCommand(name, "allowLegacyCrypto", { value: "false" })}" once the host is upgraded.`;
}

/** XAPI on dom0's own loopback: the SSH host key has proved the machine. */
function isVouchedFor(settings: Settings): boolean {
  const url = settings("xapiUrl");
  if (settings("xapiVia") !== "ssh") return false;
  return url === undefined || (URL.canParse(url) && isLoopback(addressOf(url).host));
}
