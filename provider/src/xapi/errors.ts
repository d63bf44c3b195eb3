import { type ErrorFacts, XennetError, type XennetErrorOptions } from "../core/errors";
import { redact } from "../core/redact";
import { sentenceFor } from "./failure-sentences";

/** Codes of what goes wrong between us and XAPI, before or instead of an answer of XAPI's. */
export type XapiConnectionCode =
  | "XAPI_ENDPOINT_INVALID"
  | "XAPI_UNREACHABLE"
  | "XAPI_CERTIFICATE_UNTRUSTED"
  | "XAPI_CERTIFICATE_MISMATCH"
  | "XAPI_LEGACY_CRYPTO"
  | "XAPI_TIMEOUT"
  | "XAPI_CONNECTION_LOST"
  | "XAPI_PROTOCOL"
  | "XAPI_FAULT"
  | "XAPI_ANSWER_TOO_LARGE"
  | "XAPI_MASTER_UNKNOWN"
  | "XAPI_VALUE_UNREPRESENTABLE"
  | "XAPI_CLOSED";

/** XAPI could not be reached, was not trusted, or did not answer. */
export class XapiConnectionError extends XennetError {
  constructor(code: XapiConnectionCode, message: string, options: XennetErrorOptions = {}) {
    super(code, message, options);
    this.name = "XapiConnectionError";
  }
}

/** A failure XAPI answered with: its own code and parameters, and a sentence for people. */
export class XapiError extends XennetError {
  /** XAPI's error code, e.g. `HANDLE_INVALID`. */
  readonly xapiCode: string;
  readonly params: readonly string[];

  constructor(method: string, description: readonly string[], override: { code?: string; message?: string } = {}) {
    const [xapiCode = "UNKNOWN", ...rawParams] = description;
    // A session reference is as good as a password until the session ends.
    const params = rawParams.map(redact);
    const message = override.message ?? `${method} failed: ${sentenceFor(xapiCode, params)} (${xapiCode})`;
    const facts: ErrorFacts = { method, xapiCode, params: params.join(", ") };
    super(override.code ?? "XAPI_FAILURE", message, { facts });
    this.name = "XapiError";
    this.xapiCode = xapiCode;
    this.params = params;
  }
}

/** True when the failure says that the object is not there any more. */
export function isGone(error: unknown): boolean {
  return hasXapiCode(error, "HANDLE_INVALID", "UUID_INVALID");
}

/** True for a failure XAPI answered with one of these codes. */
export function hasXapiCode(error: unknown, ...codes: readonly string[]): error is XapiError {
  return error instanceof XapiError && codes.includes(error.xapiCode);
}
