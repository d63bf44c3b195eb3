import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** What decides whether a host's certificate is the right one. */
export interface Trust {
  /** In the form of {@link normalizeFingerprint}. Decides alone when given. */
  readonly fingerprint?: string | undefined;
  /** PEM certificates; the system's authorities unless given. */
  readonly ca?: string | undefined;
  /** True when the way to the host has proved already which host it is: without a pin any certificate will do. */
  readonly vouched?: boolean | undefined;
  /** True when TLS 1.0 will do where the certificate is pinned or vouched for. */
  readonly allowLegacy?: boolean | undefined;
}

/** Why a certificate is not accepted. */
export interface Distrust {
  readonly kind: "mismatch" | "untrusted";
  /** Fingerprint of the certificate that the host showed. */
  readonly seen: string;
  readonly reason: string;
}

/** A SHA-256 fingerprint as XAPI and Node print it (upper-case hex with colons); undefined when it is none. */
export function normalizeFingerprint(text: string): string | undefined {
  const hex = text
    .trim()
    .replace(/^sha-?256[:=\s]*/i, "")
    .replace(/[:\s]/g, "")
    .toUpperCase();
  return /^[0-9A-F]{64}$/.test(hex) ? (hex.match(/../g) ?? []).join(":") : undefined;
}

/**
 * Judges a finished handshake. The sockets are made with `rejectUnauthorized: false`, so that a pinned self-signed
 * certificate gets this far; Node then still computes `authorized`, but skips `checkServerIdentity` for a self-signed
 * certificate: relying on that callback would send the password to anyone.
 */
export function judge(socket: TLSSocket, trust: Trust): Distrust | undefined {
  const seen = fingerprintShown(socket);
  if (trust.fingerprint !== undefined) {
    const reason = `expected ${trust.fingerprint}`;
    return seen === trust.fingerprint ? undefined : { kind: "mismatch", seen, reason };
  }
  if (trust.vouched === true || socket.authorized) return undefined;
  // The host's own certificate given as authority: XAPI's names the host, not the address it is reached by.
  if (trust.ca !== undefined && fingerprintsIn(trust.ca).includes(seen)) return undefined;
  return { kind: "untrusted", seen, reason: String(socket.authorizationError) };
}

/** Fingerprint of the certificate that the host showed. */
export function fingerprintShown(socket: TLSSocket): string {
  const raw: Buffer | undefined = socket.getPeerCertificate().raw;
  return raw === undefined ? "none" : fingerprintOf(raw);
}

/** The certificates in a PEM text; throws when one cannot be parsed. */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function fingerprintsIn(pem: string): string[] {
  return certificatesIn(pem).map((certificate) => fingerprintOf(certificate.raw));
}

function fingerprintOf(der: Buffer): string {
  const hex = createHash("sha256").update(der).digest("hex").toUpperCase();
  return (hex.match(/../g) ?? []).join(":");
}
