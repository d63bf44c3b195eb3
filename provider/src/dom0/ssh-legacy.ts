import { hostKeyOf } from "./host-key";
import { type HostKeyCheck, howToPin, keyFacts } from "./host-key-check";
import { endpointName, type SshEndpoint, settingCommand } from "./ssh-endpoint";
import { SshError, type SshErrorCode } from "./ssh-errors";

/** A check that lets no host in: what it answers says what the host has. */
export interface LegacyLook extends HostKeyCheck {
  /** Codes of its answers; anything else is a failure of the look. */
  readonly answers: readonly SshErrorCode[];
}

/** True when a handshake failed over algorithms other than those of the host key. */
export function needsOtherAlgorithms({ code, facts }: SshError): boolean {
  const message = String(facts["message"]);
  return code === "SSH_HANDSHAKE_FAILED" && /no matching/i.test(message) && !/host key format/i.test(message);
}

/** `cause` is the handshake without old algorithms. */
export function legacyLook(endpoint: SshEndpoint, check: HostKeyCheck, cause: SshError): LegacyLook {
  return {
    ...check,
    answers: ["SSH_LEGACY_CRYPTO", "SSH_HOST_KEY_MISMATCH"],
    refuse: (blob) => {
      const refusal = check.refuse(blob);
      // Whatever it speaks, another machine than the known one is the greater trouble.
      return refusal?.code === "SSH_HOST_KEY_MISMATCH" ? refusal : legacyOnly(endpoint, blob, cause);
    },
  };
}

function legacyOnly(endpoint: SshEndpoint, blob: Buffer, cause: SshError): SshError {
  const { software, offer } = cause.facts;
  const seen = hostKeyOf(blob);
  const allow = settingCommand(endpoint, "allowLegacyCrypto", { value: "true" });
  const remedy =
    endpoint.hostKey === undefined
      ? `${howToPin({ ...endpoint, allowLegacyCrypto: true }, seen)}, and allow that for this host: ${allow}`
      : `allow that for this host: ${allow}`;
  return new SshError(
    "SSH_LEGACY_CRYPTO",
    `${endpointName(endpoint)} (${software}) offers only old cryptography: ${offer}. Nothing was sent to it. If it cannot be upgraded: ${remedy}`,
    { facts: { software, offer, ...keyFacts(seen) }, cause },
  );
}
