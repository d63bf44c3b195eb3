import { constants } from "node:crypto";
import { type ConnectionOptions, DEFAULT_CIPHERS, type TLSSocket } from "node:tls";
import { fingerprintShown, type Trust } from "./trust";

/**
 * What hosts before XenServer 7.0 speak, after everything that is offered anyway. OpenSSL 3.5 (Node 22 and 24) takes TLS 1.0,
 * SHA-1 and keys of 512 bits at security level 0 only. A host of 2009 does not announce secure renegotiation (RFC 5746).
 */
export const legacyTls: ConnectionOptions = {
  minVersion: "TLSv1",
  ciphers: `${DEFAULT_CIPHERS}:AES256-SHA:AES128-SHA:@SECLEVEL=0`,
  secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
};

/** What a host chose that speaks nothing newer. */
export interface LegacyOffer {
  /** As Node names it, e.g. `TLSv1`. */
  readonly protocol: string;
  /** As OpenSSL names it, e.g. `AES256-SHA`. */
  readonly cipher: string;
  /** Size of the certificate's RSA key. */
  readonly keyBits: number | undefined;
  /** Fingerprint of the certificate. */
  readonly seen: string;
}

/** True when the old protocols are allowed and cannot be led astray: at security level 0 no chain of certificates proves anything. */
export function usesLegacyTls(trust: Trust): boolean {
  return trust.allowLegacy === true && (trust.fingerprint !== undefined || trust.vouched === true);
}

/** True for a handshake that failed over versions, suites or key sizes, as opposed to a connection that broke. */
export function isDisagreement(error: Error): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return code.startsWith("ERR_SSL_") && !isNoTls(error);
}

/** True for an answer that is no TLS at all. */
export function isNoTls({ message }: Error): boolean {
  return /wrong version number|packet length too long|http request|https proxy request/i.test(message);
}

/** What a finished handshake came to. */
export function offerOf(socket: TLSSocket): LegacyOffer {
  return {
    protocol: socket.getProtocol() ?? "unknown",
    cipher: socket.getCipher().name,
    keyBits: socket.getPeerCertificate().bits,
    seen: fingerprintShown(socket),
  };
}
