import type { Config } from "node-ssh";
import { signatureAlgorithmsOf } from "./host-key";
import type { SshEndpoint } from "./ssh-endpoint";

/** ssh2's own order, all it supports but ssh-dss. */
export const HOST_KEY_ALGORITHMS: readonly string[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  ...signatureAlgorithmsOf("ssh-rsa"),
];

/**
 * What an OpenSSH 4.3 needs besides; ssh-rsa and hmac-sha1 stand last in ssh2's own lists. ssh2 takes only groups of 2048 bits
 * and more for the group exchange, so group 14 comes before it.
 */
const LEGACY = {
  kex: ["diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1"],
  cipher: ["aes256-cbc", "aes192-cbc", "aes128-cbc"],
};

/** True when the old algorithms are allowed and cannot be led astray. */
export function usesLegacySsh(endpoint: SshEndpoint): boolean {
  return endpoint.allowLegacyCrypto === true && endpoint.hostKey !== undefined;
}

/** What is offered to a server; the old algorithms after all others, so that a newer server chooses none of them. */
export function algorithmsOffered(hostKeys: readonly string[], legacy: boolean): NonNullable<Config["algorithms"]> {
  const append = legacy ? { kex: { append: LEGACY.kex }, cipher: { append: LEGACY.cipher } } : {};
  // The type declarations ask for `prepend` and `remove` as well, and for literal names.
  // Nothing that unpacks to a thousand times its size.
  return { serverHostKey: [...hostKeys], compress: ["none"], ...append } as never;
}
