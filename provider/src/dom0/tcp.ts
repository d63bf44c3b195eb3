import { connect, type Socket } from "node:net";
import { endpointName, type SshEndpoint, settingName } from "./ssh-endpoint";
import { SshError } from "./ssh-errors";

type Address = Pick<SshEndpoint, "host" | "port" | "profile">;

export interface DialOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a TCP connection without Nagle's delay: with it, each command over an existing connection costs 40 ms more,
 * because ssh2 leaves it on.
 */
export function dial(endpoint: Address, options: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
    const fail = (problem: string, cause?: unknown) => {
      settle();
      socket.destroy();
      reject(unreachable(endpoint, problem, cause));
    };
    const onAbort = () => fail("the attempt was given up");
    const timer = setTimeout(() => fail(`no answer within ${options.timeoutMs} ms`), options.timeoutMs);
    const onError = (error: NodeJS.ErrnoException) => fail(describe(error), error);
    const settle = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
      socket.removeListener("error", onError);
      // A destroyed socket may still report an error; nobody waits for it any more.
      socket.on("error", () => {});
    };
    socket.once("error", onError);
    socket.once("connect", () => {
      settle();
      resolve(socket);
    });
    if (options.signal?.aborted) onAbort();
    else options.signal?.addEventListener("abort", onAbort);
  });
}

function unreachable(endpoint: Address, problem: string, cause: unknown): SshError {
  return new SshError(
    "SSH_UNREACHABLE",
    `No SSH connection to ${endpointName(endpoint)}: ${problem}. Is the host up, is SSH enabled on it, and is the address right (${settingName(endpoint, "host")}, ${settingName(endpoint, "sshPort")})?`,
    { facts: { host: endpoint.host, port: endpoint.port }, cause },
  );
}

function describe(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "the connection was refused (ECONNREFUSED)";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the name could not be resolved (${error.code})`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `there is no way to that address (${error.code})`;
    default:
      return error.message === "" ? (error.code ?? "unknown error") : error.message;
  }
}
