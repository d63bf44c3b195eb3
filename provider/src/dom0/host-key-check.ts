import { createReadStream } from "node:fs";
import {
  fingerprintOf,
  type HostKey,
  hostKeyOf,
  keyLine,
  oldFingerprintOf,
  parseHostKeyPin,
  signatureAlgorithmsOf,
} from "./host-key";
import { findKnownKeys } from "./known-hosts";
import { endpointName, type SshEndpoint, settingCommand, settingName } from "./ssh-endpoint";
import { SshError } from "./ssh-errors";

/** Decides on the key a host shows, before anything secret is sent to it. */
export interface HostKeyCheck {
  /** The only algorithms to offer, so that the host shows the key which is known; undefined when the type is open. */
  readonly algorithms: readonly string[] | undefined;
  /** True when only a fingerprint is known, so that another key of the same host may be the right one. */
  readonly typeIsOpen: boolean;
  /** Undefined for the right key, else why it is refused. */
  refuse(blob: Buffer): SshError | undefined;
}

/** Builds the check from the pinned key, else from known_hosts, else one that refuses every key. */
export async function hostKeyCheck(endpoint: SshEndpoint): Promise<HostKeyCheck> {
  if (endpoint.hostKey !== undefined) return pinnedCheck(endpoint, endpoint.hostKey);
  const file = endpoint.knownHostsFile;
  const known = findKnownKeys(
    file === undefined ? "" : await readKnownHosts(endpoint, file),
    endpoint.host,
    endpoint.port,
  );
  const isRevoked = (key: HostKey) => known.revoked.some((other) => other.blob.equals(key.blob));
  const trusted = known.trusted.filter((key) => !isRevoked(key));
  return {
    algorithms: algorithmsOf(trusted),
    typeIsOpen: false,
    refuse: (blob) => {
      const seen = hostKeyOf(blob);
      if (isRevoked(seen)) return mismatch(endpoint, seen, `which ${file} marks as @revoked`);
      if (trusted.some((key) => key.blob.equals(blob))) return undefined;
      if (trusted.length === 0) return unknownKey(endpoint, seen);
      return mismatch(endpoint, seen, `but ${file} knows ${trusted.map(fingerprintOf).join(", ")}`);
    },
  };
}

function pinnedCheck(endpoint: SshEndpoint, text: string): HostKeyCheck {
  const pin = parseHostKeyPin(text, settingName(endpoint, "sshHostKey"));
  const expected = pin.kind === "key" ? fingerprintOf(pin.key) : pin.fingerprint;
  return {
    algorithms: pin.kind === "key" ? signatureAlgorithmsOf(pin.key.type) : undefined,
    typeIsOpen: pin.kind === "fingerprint",
    refuse: (blob) => {
      const seen = hostKeyOf(blob);
      if (fingerprintOf(seen) === expected) return undefined;
      return mismatch(endpoint, seen, `but ${settingName(endpoint, "sshHostKey")} pins ${expected}`);
    },
  };
}

/** About 20,000 hosts. */
const MOST_KNOWN = 8 * 1024 * 1024;

async function readKnownHosts(endpoint: SshEndpoint, file: string): Promise<string> {
  try {
    let text = "";
    for await (const chunk of createReadStream(file, { encoding: "utf8" })) {
      text += chunk;
      if (text.length > MOST_KNOWN) throw new Error(`it is larger than ${MOST_KNOWN / 1024 / 1024} MB`);
    }
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    const reason = error instanceof Error ? error.message : String(error);
    const setting = settingName(endpoint, "sshKnownHosts");
    throw new SshError(
      "SSH_KNOWN_HOSTS_UNREADABLE",
      `The file of known SSH host keys cannot be read (${reason}), so nothing was sent to ${endpointName(endpoint)}. Correct ${setting}, or pin the key with ${settingName(endpoint, "sshHostKey")}.`,
      { cause: error },
    );
  }
}

function algorithmsOf(keys: readonly HostKey[]): readonly string[] | undefined {
  if (keys.length === 0) return undefined;
  return [...new Set(keys.flatMap((key) => signatureAlgorithmsOf(key.type)))];
}

function unknownKey(endpoint: SshEndpoint, seen: HostKey): SshError {
  return new SshError(
    "SSH_HOST_KEY_UNKNOWN",
    `The SSH host key of ${endpointName(endpoint)} is not known, so nothing was sent to it. ${howToPin(endpoint, seen)}`,
    { facts: keyFacts(seen) },
  );
}

function mismatch(endpoint: SshEndpoint, seen: HostKey, expectation: string): SshError {
  return new SshError(
    "SSH_HOST_KEY_MISMATCH",
    `${endpointName(endpoint)} shows the SSH host key ${fingerprintOf(seen)}, ${expectation}. It may be another machine, ` +
      `so nothing was sent to it. If the host was installed anew: ${howToPin(endpoint, seen)}`,
    { facts: keyFacts(seen) },
  );
}

/** What to compare, and the command that pins the key. */
export function howToPin(endpoint: SshEndpoint, seen: HostKey): string {
  const old = endpoint.allowLegacyCrypto === true ? ` (before OpenSSH 6.8: MD5 ${oldFingerprintOf(seen)})` : "";
  return (
    `Compare the fingerprint ${fingerprintOf(seen)}${old} with the one that ` +
    `"ssh-keygen -lf /etc/ssh/${publicKeyFile(seen.type)}" prints at the host's console; if they are equal, pin it: ` +
    settingCommand(endpoint, "sshHostKey", { value: keyLine(seen) })
  );
}

function publicKeyFile(type: string): string {
  const kind = type === "ssh-rsa" ? "rsa" : type.startsWith("ecdsa") ? "ecdsa" : "ed25519";
  return `ssh_host_${kind}_key.pub`;
}

/** A key in the facts of an error. */
export function keyFacts(seen: HostKey): Record<string, string> {
  return { type: seen.type, fingerprint: fingerprintOf(seen) };
}
