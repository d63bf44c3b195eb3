import { oneLine, quoted } from "../core/foreign-text";
import { configCommand, defaultProfile, environmentOverride } from "../core/settings";
import type { XapiEndpoint } from "./endpoint";
import { XapiConnectionError, XapiError } from "./errors";
import { isNoTls, type LegacyOffer } from "./legacy-tls";
import type { Distrust, Trust } from "./trust";
import type { AnswerStopped, AnswerTooLarge } from "./xml-limits";
import type { Fault } from "./xml-rpc";

/** A host to speak to: the endpoint as configured, or the pool master that a member pointed to. */
export interface Peer {
  readonly url: string;
  readonly profile: string;
  /** URL of the pool member that sent us here. */
  readonly sentBy: string | undefined;
  /** Name of the tunnel it is reached by. */
  readonly through: string | undefined;
}

/** The host as configured. */
export function configuredPeer(endpoint: XapiEndpoint): Peer {
  return {
    url: endpoint.url,
    profile: endpoint.profile ?? defaultProfile,
    sentBy: undefined,
    through: endpoint.tunnel?.name,
  };
}

/** The certificate is not the right one; nothing was sent. */
export function untrusted(peer: Peer, distrust: Distrust): XapiConnectionError {
  const facts = { url: peer.url, seen: distrust.seen, reason: distrust.reason };
  const setting = (key: string, value?: string) =>
    `"${configCommand(peer.profile, key, value === undefined ? {} : { value })}"`;
  const pin = setting("xapiFingerprint", distrust.seen);
  if (distrust.kind === "mismatch") {
    const changed =
      peer.sentBy === undefined
        ? `If the host's certificate was replaced on purpose, compare the new one at its console and run ${pin}.`
        : `The pool member ${peer.sentBy} announced the expected one; check the pool's certificates.`;
    return new XapiConnectionError(
      "XAPI_CERTIFICATE_MISMATCH",
      `The certificate of ${nameOf(peer)} is not the pinned one: ${distrust.reason}, found ${distrust.seen}. Nothing was sent to it. ${changed}`,
      { facts },
    );
  }
  const remedy =
    peer.sentBy === undefined
      ? `Compare the fingerprint at the host's console and run ${pin}, or give its authority with ${setting("xapiCa")}.`
      : `It is the pool master that ${peer.sentBy} points to, and a pin holds for one host only: run ${setting("xapiUrl", peer.url)} and, after comparing the fingerprint at its console, ${pin}.`;
  return new XapiConnectionError(
    "XAPI_CERTIFICATE_UNTRUSTED",
    `The certificate of ${nameOf(peer)} cannot be verified (${distrust.reason}); its SHA-256 fingerprint is ${distrust.seen}. Nothing was sent to it. ${remedy}`,
    { facts },
  );
}

/** Prints the fingerprint at the host's console, on XenServer 5.5 as well as today. */
export const certificateCommand = "openssl x509 -noout -fingerprint -sha256 -in /etc/xensource/xapi-ssl.pem";

/** What to compare, and the command that pins the certificate. */
export function howToCompareCertificate(profile: string, seen: string): string {
  return `Compare it with the one that "${certificateCommand}" prints at the host's console; if they are equal, run "${configCommand(profile, "xapiFingerprint", { value: seen })}".`;
}

/** The host speaks nothing but old TLS; nothing was sent. */
export function legacyOnly(peer: Peer, trust: Trust, offer: LegacyOffer): XapiConnectionError {
  const { protocol, cipher, keyBits, seen } = offer;
  const allow = `"${configCommand(peer.profile, "allowLegacyCrypto", { value: "true" })}"`;
  const pin = `"${configCommand(peer.profile, "xapiFingerprint", { value: seen })}"`;
  const isKnown = trust.fingerprint !== undefined || trust.vouched === true;
  const remedy =
    peer.sentBy !== undefined
      ? `It is the pool master that ${peer.sentBy} points to, and old TLS is spoken to a pinned host only: run "${configCommand(peer.profile, "xapiUrl", { value: peer.url })}" and, after comparing the fingerprint at its console, ${pin} and ${allow}.`
      : isKnown
        ? `If it cannot be upgraded, allow that for this host with ${allow}.`
        : `If it cannot be upgraded, compare the fingerprint with the one that "${certificateCommand}" prints at its console, then run ${pin} and ${allow}.`;
  return new XapiConnectionError(
    "XAPI_LEGACY_CRYPTO",
    `${nameOf(peer)} offers nothing better than ${protocol} with the suite ${cipher} and a certificate${keyBits === undefined ? "" : ` with a key of ${keyBits} bits`}, SHA-256 fingerprint ${seen}. Nothing was sent to it. ${remedy}`,
    { facts: { url: peer.url, protocol, cipher, keyBits, seen } },
  );
}

const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was reset during the TLS handshake",
  ETIMEDOUT: "there was no answer in time",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no route to it",
  ENOTFOUND: "its name is unknown",
  EAI_AGAIN: "the name server does not answer",
};

/** In words; of OpenSSL's own text, which may quote the peer, the part that says what is wrong. */
function reasonOf(cause: Error, code: string): string {
  if (isNoTls(cause)) return "what answers there speaks no TLS";
  const reason = "reason" in cause && typeof cause.reason === "string" ? cause.reason : undefined;
  const shown = oneLine(reason ?? /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/i.exec(cause.message)?.[1] ?? cause.message);
  return (
    causes[code] ?? (code.startsWith("ERR_SSL_") || code === "EPROTO" ? `the TLS handshake failed (${shown})` : shown)
  );
}

/** No connection came to be. */
export function unreachable(peer: Peer, cause: Error): XapiConnectionError {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  const host = peer.sentBy === undefined ? peer.url : `the pool master ${peer.url} (named by ${peer.sentBy})`;
  const url = `"xennet:xapiUrl" (environment: ${environmentOverride(peer.profile, "xapiUrl")})`;
  const [where, check] =
    peer.through === undefined
      ? [host, `the host is up and that "xennet:host" or ${url} is right`]
      : [`${host} through ${peer.through}`, `the host's toolstack runs and that ${url} is right as seen from dom0`];
  return new XapiConnectionError(
    "XAPI_UNREACHABLE",
    `XAPI cannot be reached at ${where}: ${reasonOf(cause, code)}. Check that ${check}.`,
    { facts: { url: peer.url, cause: code }, cause },
  );
}

/** The host did not accept user name and password. */
export function authFailed(peer: Peer, username: string, description: readonly string[]): XapiError {
  const password = configCommand(peer.profile, "password", { secret: true });
  const user = configCommand(peer.profile, "username");
  const message =
    `XAPI at ${nameOf(peer)} did not accept the password of the user ${quoted(username)}. ` +
    `Set it with "${password}", or another user with "${user}". "pulumi destroy" and "pulumi refresh" use the ` +
    `configuration of the last "pulumi up"; ${environmentOverride(peer.profile, "password")} in the environment overrides it.`;
  return new XapiError("session.login_with_password", description, { code: "XAPI_AUTH_FAILED", message });
}

/** No answer in time. */
export function timedOut(peer: Peer, method: string, ms: number, writing: boolean): XapiConnectionError {
  return new XapiConnectionError(
    "XAPI_TIMEOUT",
    `${method} got no answer from ${nameOf(peer)} within ${ms / 1000} s. ${writing ? mayHaveHappened : "Try again."}`,
    { facts: { url: peer.url, method } },
  );
}

/** The connection broke after the request was sent. */
export function connectionLost(peer: Peer, method: string, writing: boolean, cause: unknown): XapiConnectionError {
  return new XapiConnectionError(
    "XAPI_CONNECTION_LOST",
    `The connection to ${nameOf(peer)} broke before ${method} was answered. ${writing ? mayHaveHappened : "Try again."}`,
    { facts: { url: peer.url, method }, cause },
  );
}

/** The host as messages name it. */
export function nameOf(peer: Peer): string {
  return peer.through === undefined ? peer.url : `${peer.url} (through ${peer.through})`;
}

const mayHaveHappened = 'It may have taken effect nevertheless: run "pulumi up --refresh" to go on from what is there.';

/** The answer is not XAPI's. */
export function notXapi(
  peer: Peer,
  method: string,
  writing: boolean,
  answer: { readonly status: number | undefined; readonly cause?: unknown },
): XapiConnectionError {
  // A real host's answer, cut short or garbled, also ends up here.
  const consequence = writing && answer.status === 200 ? ` ${mayHaveHappened}` : "";
  return new XapiConnectionError(
    "XAPI_PROTOCOL",
    `${nameOf(peer)} answered ${method} with something that is not XAPI's (${answer.status === undefined ? "no HTTP" : `HTTP status ${answer.status}`}). Check that "xennet:xapiUrl" is the address of a XenServer or XCP-ng host.${consequence}`,
    { facts: { url: peer.url, method, status: answer.status }, cause: answer.cause },
  );
}

/** XML-RPC's own failure, which XAPI answers with when it does not get as far as the call. */
export function faulty(peer: Peer, method: string, writing: boolean, fault: Fault): XapiConnectionError {
  const said = `${quoted(fault.message)}${fault.faultCode === "" ? "" : ` (${fault.faultCode})`}`;
  return new XapiConnectionError(
    "XAPI_FAULT",
    `${nameOf(peer)} answered ${method} with an XML-RPC fault: ${said}. ${writing ? mayHaveHappened : "Look into the host's log /var/log/xensource.log, and please report it with the host's version."}`,
    { facts: { url: peer.url, method, fault: fault.message, faultCode: fault.faultCode }, cause: fault },
  );
}

/** What came would have filled this process's memory, so the rest was not read. */
export function tooLarge(peer: Peer, method: string, writing: boolean, cause: AnswerTooLarge): XapiConnectionError {
  return new XapiConnectionError(
    "XAPI_ANSWER_TOO_LARGE",
    `${nameOf(peer)} answered ${method} with ${cause.message}, so the connection was closed. ${writing ? mayHaveHappened : "Is that address a XenServer or XCP-ng host? If it is, please report the size of its pool."}`,
    { facts: { url: peer.url, method }, cause },
  );
}

/** The answer began and did not go on. */
export function stopped(peer: Peer, method: string, writing: boolean, cause: AnswerStopped): XapiConnectionError {
  return new XapiConnectionError(
    "XAPI_TIMEOUT",
    `${nameOf(peer)} stopped in the middle of its answer to ${method} (${cause.message}). ${writing ? mayHaveHappened : "Look at the host and the network, then try again."}`,
    { facts: { url: peer.url, method }, cause },
  );
}

/** Members sent us round in circles. */
export function masterUnknown(peer: Peer, hops: number): XapiConnectionError {
  return new XapiConnectionError(
    "XAPI_MASTER_UNKNOWN",
    `No pool master was found after ${hops} redirects; the last host asked was ${peer.url}. Wait until the pool has agreed on a master, then try again.`,
    { facts: { url: peer.url } },
  );
}

/** The client was closed meanwhile. */
export function clientClosed(): XapiConnectionError {
  return new XapiConnectionError("XAPI_CLOSED", "The XAPI client was closed before the call was sent.");
}
