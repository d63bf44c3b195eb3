import { type ErrorFacts, XennetError } from "../core/errors";

export type SshErrorCode =
  | "SSH_UNREACHABLE"
  | "SSH_HOST_KEY_UNKNOWN"
  | "SSH_HOST_KEY_MISMATCH"
  | "SSH_KNOWN_HOSTS_UNREADABLE"
  | "SSH_HANDSHAKE_FAILED"
  | "SSH_LEGACY_CRYPTO"
  | "SSH_AUTH_MISSING"
  | "SSH_KEY_UNUSABLE"
  | "SSH_AUTH_FAILED"
  | "SSH_KEY_TYPE_UNKNOWN"
  | "SSH_FORWARDING_REFUSED"
  | "SSH_ANSWER_TOO_LARGE"
  | "SSH_CLOSED"
  | "SSH_TIMEOUT";

/** Something went wrong between this process and a dom0's SSH server. */
export class SshError extends XennetError {
  declare readonly code: SshErrorCode;

  constructor(code: SshErrorCode, message: string, options: { facts?: ErrorFacts; cause?: unknown } = {}) {
    super(code, message, options);
    this.name = "SshError";
  }
}

const LOST = new Set<string>(["SSH_CLOSED", "SSH_TIMEOUT", "SSH_UNREACHABLE"]);

/** True when the way to the host broke, so that what became of a command already sent is not known. */
export function isConnectionLoss(error: unknown): boolean {
  return error instanceof SshError && LOST.has(error.code);
}
