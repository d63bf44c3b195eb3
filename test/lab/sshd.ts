import type { TlsKind } from "../sim/contract.ts";

/** Types of the host's only key, and of the key that logs in. */
export const sshKeyTypes = { modern: "ed25519", legacy: "rsa" } as const;

/** sshd's configuration: today's, or what it takes to speak like OpenSSH 4.3 does. */
export function sshdConfig(kind: TlsKind): string {
  return `HostKey /etc/ssh/ssh_host_${sshKeyTypes[kind]}_key
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
UseDNS no
PrintMotd no
MaxStartups 100:30:200
${kind === "legacy" ? old : ""}`;
}

/**
 * OpenSSH 4.3 signs and verifies with SHA-1 only. This sshd announces all signatures it has, whatever it accepts, and ssh2 then
 * makes none but rsa-sha2-256 with an RSA key; so that one is accepted besides.
 */
const old = `KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1
HostKeyAlgorithms ssh-rsa
Ciphers aes128-cbc,3des-cbc
MACs hmac-sha1
PubkeyAcceptedAlgorithms ssh-rsa,rsa-sha2-256
`;
