import { createPrivateKey } from "node:crypto";
import { quoted } from "../core/foreign-text";
import { endpointName, type SshEndpoint, settingCommand } from "./ssh-endpoint";
import { SshError } from "./ssh-errors";
import type { SshOffer } from "./ssh-offer";

const OLDEST_TYPES = ["ssh-rsa", "ssh-dss"];
const ECDSA_TYPES = ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];

/**
 * The types of user keys that a server knows: by OpenSSH's release notes (ECDSA since 5.7, Ed25519 since 6.5), or RSA and DSA
 * where nothing it offers is newer. Undefined when it may know all of them.
 */
export function knownKeyTypes({ software, kex, hostKeys }: SshOffer): readonly string[] | undefined {
  const [, major = "", minor = ""] = /^OpenSSH_(\d+)\.(\d+)/.exec(software) ?? [];
  const release = major === "" ? Number.POSITIVE_INFINITY : Number(major) * 100 + Number(minor);
  const isOld = kex.every((name) => name.endsWith("-sha1")) && hostKeys.every((name) => OLDEST_TYPES.includes(name));
  if (release < 507 || isOld) return OLDEST_TYPES;
  return release < 605 ? [...OLDEST_TYPES, ...ECDSA_TYPES] : undefined;
}

/** The type of a private key as SSH names it, read from the part that no passphrase covers; undefined when that does not tell. */
export function privateKeyType(text: string): string | undefined {
  const [, kind, body = ""] = /-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----([\s\S]*?)-----END/.exec(text) ?? [];
  switch (kind) {
    case "RSA ":
      return "ssh-rsa";
    case "DSA ":
      return "ssh-dss";
    case "OPENSSH ":
      return typeInOpenSsh(Buffer.from(body.replace(/\s/g, ""), "base64"));
    case "EC ":
    case "":
      return typeOfPem(text);
    default:
      return undefined;
  }
}

/** The host lets in no key of this type. */
export function unknownKeyType(
  endpoint: SshEndpoint,
  found: { type: string; known: readonly string[]; offer: SshOffer; tried: string },
  cause: unknown,
): SshError {
  const { type, known, offer, tried } = found;
  const set = settingCommand(endpoint, "sshPrivateKey", { secret: true });
  return new SshError(
    "SSH_KEY_TYPE_UNKNOWN",
    `${endpointName(endpoint)} (${offer.software}) does not know SSH keys of the type ${type}, only ${known.join(", ")}; tried ${tried} for ${quoted(endpoint.username)}. Make a key that it knows (ssh-keygen -t rsa -b 3072 -f <file>), append <file>.pub to ~${endpoint.username}/.ssh/authorized_keys there, and run "${set} < <file>"; or log in by password ("${settingCommand(endpoint, "sshPassword", { secret: true })}").`,
    { facts: { type, known: known.join(", "), software: offer.software }, cause },
  );
}

/** Format of `PROTOCOL.key` in OpenSSH's sources: magic, cipher, kdf, its options, number of keys, then the public key. */
function typeInOpenSsh(blob: Buffer): string | undefined {
  try {
    let at = "openssh-key-v1\0".length;
    const next = () => {
      const start = at + 4;
      at = start + blob.readUInt32BE(at);
      return blob.subarray(start, at);
    };
    for (let skipped = 0; skipped < 3; skipped += 1) next();
    at += 4;
    const publicKey = next();
    return publicKey.toString("latin1", 4, 4 + publicKey.readUInt32BE(0));
  } catch (error) {
    // Cut off: whoever parses the whole key says so.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function typeOfPem(text: string): string | undefined {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(text);
    if (asymmetricKeyType === "ec") return CURVES[asymmetricKeyDetails?.namedCurve ?? ""];
    return asymmetricKeyType === undefined ? undefined : PEM_TYPES[asymmetricKeyType];
  } catch {
    // Under a passphrase.
    return undefined;
  }
}

const PEM_TYPES: Readonly<Record<string, string>> = { rsa: "ssh-rsa", dsa: "ssh-dss", ed25519: "ssh-ed25519" };
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "ecdsa-sha2-nistp256",
  secp384r1: "ecdsa-sha2-nistp384",
  secp521r1: "ecdsa-sha2-nistp521",
};
