import { oneLine } from "../core/foreign-text";
import type { AuthMethods } from "./ssh-auth";
import { endpointName, type SshEndpoint, settingCommand, settingName } from "./ssh-endpoint";
import { SshError } from "./ssh-errors";
import { offerText, type SshOffer } from "./ssh-offer";

/** Why a handshake or a login failed, in words; the peer's own are shown as {@link oneLine} leaves them. */
export function handshakeError(
  endpoint: SshEndpoint,
  error: unknown,
  auth: AuthMethods,
  offer: SshOffer | undefined,
): SshError {
  const message = oneLine(error instanceof Error ? error.message : String(error));
  const level = error instanceof Error && "level" in error ? error.level : undefined;
  const name = endpointName(endpoint);
  if (/private ?key/i.test(message) && !auth.started) return unusableKey(endpoint, message, error);
  if (level === "client-authentication" || level === "agent") return auth.failure(error, offer);
  if (level === "client-timeout") {
    return new SshError("SSH_TIMEOUT", `${name} took the connection but the SSH login did not end in time.`, {
      cause: error,
    });
  }
  // A server that has had enough of wrong logins just hangs up.
  if (auth.started && /authentication failures/i.test(message)) return auth.failure(error, offer);
  if (level === "handshake") {
    const offered = offer === undefined ? "" : ` It (${offer.software}) offers ${offerText(offer)}.`;
    const facts = { message, software: offer?.software, offer: offer && offerText(offer) };
    const text = `The SSH handshake with ${name} failed: ${message}.${offered}`;
    return new SshError("SSH_HANDSHAKE_FAILED", text, { facts, cause: error });
  }
  return new SshError("SSH_CLOSED", `${name} closed the connection during the SSH login: ${message}.`, {
    cause: error,
  });
}

function unusableKey(endpoint: SshEndpoint, message: string, cause: unknown): SshError {
  const hint = /no passphrase given/.test(message)
    ? `it is protected by a passphrase; ${settingCommand(endpoint, "sshPrivateKeyPassphrase", { secret: true })}`
    : /bad passphrase/i.test(message)
      ? `${settingName(endpoint, "sshPrivateKeyPassphrase")} does not open it`
      : "it is not a private key in OpenSSH or PEM form; give the whole file, first and last line included";
  return new SshError(
    "SSH_KEY_UNUSABLE",
    `The key in ${settingName(endpoint, "sshPrivateKey")} cannot be used: ${hint}.`,
    { cause },
  );
}
