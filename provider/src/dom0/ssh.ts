import type { Socket } from "node:net";
import { type Config, NodeSSH } from "node-ssh";
import { signatureAlgorithmsOf } from "./host-key";
import { type HostKeyCheck, hostKeyCheck } from "./host-key-check";
import { algorithmsOffered, HOST_KEY_ALGORITHMS, usesLegacySsh } from "./ssh-algorithms";
import { AuthMethods } from "./ssh-auth";
import { KEEPALIVE, SshConnection } from "./ssh-connection";
import { endpointName, type SshEndpoint } from "./ssh-endpoint";
import { SshError, type SshErrorCode } from "./ssh-errors";
import { handshakeError } from "./ssh-handshake-error";
import { legacyLook, needsOtherAlgorithms } from "./ssh-legacy";
import { watchOffer } from "./ssh-offer";
import { dial } from "./tcp";

export interface ConnectOptions {
  /** For the TCP connection, the handshake and the login together. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const CONNECT_TIMEOUT_MS = 20_000;

/** Logs in to a host; no credential is sent before its host key was found right. */
export async function connectSsh(endpoint: SshEndpoint, options: ConnectOptions = {}): Promise<SshConnection> {
  const deadline = Date.now() + (options.timeoutMs ?? CONNECT_TIMEOUT_MS);
  const { signal } = options;
  const check = await hostKeyCheck(endpoint);
  const legacy = usesLegacySsh(endpoint);
  try {
    return await attempts(endpoint, check, { legacy, deadline, signal });
  } catch (error) {
    if (legacy || !(error instanceof SshError) || !needsOtherAlgorithms(error)) throw error;
    throw await explainByLook(endpoint, check, error, { deadline, signal });
  }
}

/** Tries until the host shows the key that is known, or has no other: it may have several. */
export async function attempts(
  endpoint: SshEndpoint,
  check: HostKeyCheck,
  limits: Omit<Attempt, "hostKeys">,
): Promise<SshConnection> {
  let hostKeys = check.algorithms ?? HOST_KEY_ALGORITHMS;
  let refusal: SshError | undefined;
  for (;;) {
    try {
      return await attempt(endpoint, check, { hostKeys, ...limits });
    } catch (error) {
      if (!(error instanceof SshError)) throw error;
      if (error.code === "SSH_HOST_KEY_MISMATCH") refusal ??= error;
      const others = otherAlgorithms(check, hostKeys, error);
      if (others.length === 0) throw pastHostKey.includes(error.code) ? error : (refusal ?? error);
      hostKeys = others;
    }
  }
}

/** Where the right key was shown in the end, one that was shown before says nothing. */
const pastHostKey: readonly SshErrorCode[] = ["SSH_LEGACY_CRYPTO", "SSH_AUTH_FAILED", "SSH_KEY_TYPE_UNKNOWN"];

/** One more handshake, in which every host key is refused, shows whether old algorithms would do. */
async function explainByLook(
  endpoint: SshEndpoint,
  check: HostKeyCheck,
  cause: SshError,
  limits: Pick<Attempt, "deadline" | "signal">,
): Promise<SshError> {
  const look = legacyLook(endpoint, check, cause);
  const attempted = attempts(endpoint, look, { legacy: true, ...limits });
  const outcome = await attempted.catch((error: unknown) => error);
  const isAnswer = outcome instanceof SshError && look.answers.includes(outcome.code);
  return isAnswer ? outcome : cause;
}

/** What to offer in another attempt: the right key may be of another type, or the one shown must be named. */
function otherAlgorithms(check: HostKeyCheck, offered: readonly string[], error: SshError): readonly string[] {
  if (error.code === "SSH_HOST_KEY_MISMATCH" && check.typeIsOpen) {
    const { type } = error.facts;
    const shown = signatureAlgorithmsOf(String(type));
    return offered.filter((algorithm) => !shown.includes(algorithm));
  }
  const hasNoSuchKey = error.code === "SSH_HANDSHAKE_FAILED" && error.message.includes("no matching host key format");
  return hasNoSuchKey && offered === check.algorithms ? HOST_KEY_ALGORITHMS : [];
}

interface Attempt {
  /** Algorithms for the host key, in order. */
  readonly hostKeys: readonly string[];
  /** True to offer old algorithms as well. */
  readonly legacy: boolean;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** One handshake, and a login unless the host key is refused. */
async function attempt(
  endpoint: SshEndpoint,
  check: Pick<HostKeyCheck, "refuse">,
  { hostKeys, legacy, deadline, signal }: Attempt,
): Promise<SshConnection> {
  const auth = new AuthMethods(endpoint);
  const socket = await dial(endpoint, { timeoutMs: timeLeft(deadline), signal });
  const abort = () => socket.destroy();
  signal?.addEventListener("abort", abort);
  const offer = watchOffer(socket);
  let refusal: SshError | undefined;
  try {
    return await login(endpoint, socket, {
      ...auth.config(),
      username: endpoint.username,
      readyTimeout: timeLeft(deadline),
      // Also where only forwarded connections wait for the peer.
      ...KEEPALIVE,
      algorithms: algorithmsOffered(hostKeys, legacy),
      hostVerifier: (blob: Buffer) => {
        refusal = check.refuse(blob);
        return refusal === undefined;
      },
    });
  } catch (error) {
    await destroy(socket);
    throw refusal ?? handshakeError(endpoint, error, auth, offer());
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

async function login(endpoint: SshEndpoint, socket: Socket, config: Config): Promise<SshConnection> {
  const ssh = new NodeSSH();
  const ready = ssh.connect({ ...config, sock: socket });
  // node-ssh takes its own listener away once logged in; a later error without a listener would end the process.
  ssh.connection?.on("error", () => {});
  await ready;
  return new SshConnection(ssh, socket, endpointName(endpoint));
}

function timeLeft(deadline: number): number {
  return Math.max(1, deadline - Date.now());
}

async function destroy(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.destroy();
  await closed;
}
