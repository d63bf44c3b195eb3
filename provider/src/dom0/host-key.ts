import { createHash } from "node:crypto";
import { XennetError } from "../core/errors";
import { isSshName } from "./ssh-names";

/** A host's public key: its type and the blob as it travels in the SSH handshake. */
export interface HostKey {
  readonly type: string;
  readonly blob: Buffer;
}

/** What a user pinned: the whole key, or its fingerprint only. */
export type HostKeyPin =
  | { readonly kind: "key"; readonly key: HostKey }
  | { readonly kind: "fingerprint"; readonly fingerprint: string };

const EXPECTED = "a public key line (ssh-ed25519 AAAA…) or a fingerprint (SHA256:…)";

/** Reads a pinned key; `setting` is its name for errors. A line as `ssh-keyscan` prints it (host first) is fine too. */
export function parseHostKeyPin(text: string, setting: string): HostKeyPin {
  const trimmed = text.trim();
  if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(trimmed)) {
    return { kind: "fingerprint", fingerprint: trimmed.replace(/=$/, "") };
  }
  const words = trimmed.split(/\s+/);
  const key = parseKeyWords(words[0], words[1]) ?? parseKeyWords(words[1], words[2]);
  if (key !== undefined) return { kind: "key", key };
  const isMd5 = /^(MD5:)?([0-9a-f]{2}:){15}[0-9a-f]{2}$/i.test(trimmed);
  const md5 = isMd5 ? " MD5 fingerprints cannot be pinned, as keys can be made to have a given one." : "";
  throw new XennetError(
    "SSH_HOST_KEY_MALFORMED",
    `${setting} must be ${EXPECTED}, but is ${JSON.stringify(trimmed.slice(0, 60))}.${md5} The line is in /etc/ssh/ssh_host_ed25519_key.pub on the host, on hosts before XenServer 7.0 in /etc/ssh/ssh_host_rsa_key.pub.`,
    { property: "sshHostKey" },
  );
}

/** Reads `<type> <base64>`; undefined when the two do not fit together. */
export function parseKeyWords(type: string | undefined, base64: string | undefined): HostKey | undefined {
  if (type === undefined || base64 === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const blob = Buffer.from(base64, "base64");
  return keyTypeOf(blob) === type ? { type, blob } : undefined;
}

/** The key of a handshake. */
export function hostKeyOf(blob: Buffer): HostKey {
  return { type: keyTypeOf(blob) ?? "unknown", blob };
}

/** The fingerprint as `ssh-keygen -l` prints it. */
export function fingerprintOf(key: HostKey): string {
  return `SHA256:${createHash("sha256").update(key.blob).digest("base64").replace(/=+$/, "")}`;
}

/** The fingerprint as `ssh-keygen -l` of OpenSSH before 6.8 prints it. */
export function oldFingerprintOf(key: HostKey): string {
  const hex = createHash("md5").update(key.blob).digest("hex");
  return (hex.match(/../g) ?? []).join(":");
}

/** The key as a line of a `.pub` file, without comment. */
export function keyLine(key: HostKey): string {
  return `${key.type} ${key.blob.toString("base64")}`;
}

/** The signature algorithms by which a server proves that it holds a key of this type. */
export function signatureAlgorithmsOf(type: string): readonly string[] {
  // RFC 8332: an ssh-rsa key signs with SHA-2 where both sides can.
  return type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [type];
}

function keyTypeOf(blob: Buffer): string | undefined {
  if (blob.length < 5) return undefined;
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > 64 || blob.length < 4 + length) return undefined;
  const type = blob.toString("latin1", 4, 4 + length);
  return isSshName(type) ? type : undefined;
}
