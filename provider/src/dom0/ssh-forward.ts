import type { Duplex } from "node:stream";
import type { NodeSSH } from "node-ssh";
import { oneLine } from "../core/foreign-text";
import { SshError } from "./ssh-errors";

/** Opens TCP connections from the far end of an SSH connection. */
export interface Forwarder {
  /** Connects to an address as the host sees it; rejects with the signal's reason when that aborts first. */
  forward(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
}

/** RFC 4254, 5.1. */
const ADMINISTRATIVELY_PROHIBITED = 1;

/**
 * A channel `direct-tcpip`. Rejects with SSH_FORWARDING_REFUSED when the server does not want any, with SSH_CLOSED when the
 * connection is gone, and with the host's own words when it cannot connect to the address.
 */
export async function openForward(
  ssh: NodeSSH,
  name: string,
  address: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Duplex> {
  const opening = ssh.forwardOut("127.0.0.1", 0, address.host, address.port);
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
    opening
      .then(
        (channel: Duplex) => {
          // What a broken connection does to the channel, its reader learns from its end.
          channel.on("error", () => {});
          if (signal.aborted) channel.resume().destroy();
          else resolve(channel);
        },
        (error: Error) => reject(explain(name, error)),
      )
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function explain(name: string, error: Error): Error {
  const reason = "reason" in error ? error.reason : undefined;
  const said = oneLine(error.message.replace(/^\(SSH\) Channel open failure: */, ""));
  if (reason === ADMINISTRATIVELY_PROHIBITED) {
    return new SshError(
      "SSH_FORWARDING_REFUSED",
      `The SSH server of ${name} let us in but does not forward TCP connections (${said}). Allow it in dom0's /etc/ssh/sshd_config with "AllowTcpForwarding local", without "DisableForwarding yes" and a "PermitOpen" that excludes XAPI, and without "no-port-forwarding" or "restrict" at the key in authorized_keys; then run "systemctl restart sshd" there.`,
      { cause: error },
    );
  }
  // The server's other reasons say that the connection from there failed; without any the SSH connection is gone.
  if (typeof reason === "number") return new Error(said === "" ? "the connection failed" : said, { cause: error });
  return new SshError("SSH_CLOSED", `The SSH connection to ${name} opened no channel: ${said}.`, { cause: error });
}
