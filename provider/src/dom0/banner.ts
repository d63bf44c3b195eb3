import { endpointName, type SshEndpoint } from "./ssh-endpoint";
import { SshError } from "./ssh-errors";
import { type DialOptions, dial } from "./tcp";

const MOST_BYTES = 8192;

/** Opens a new TCP connection and reads up to the SSH banner: proof that new connections still reach the SSH server. */
export async function probeBanner(
  endpoint: Pick<SshEndpoint, "host" | "port" | "profile">,
  options: DialOptions = { timeoutMs: 10_000 },
): Promise<string> {
  const started = Date.now();
  const socket = await dial(endpoint, options);
  const rest = Math.max(1, options.timeoutMs - (Date.now() - started));
  try {
    return await new Promise<string>((resolve, reject) => {
      let text = "";
      const fail = (code: "SSH_TIMEOUT" | "SSH_CLOSED", problem: string) =>
        reject(new SshError(code, `${endpointName(endpoint)} took the connection but sent no SSH banner: ${problem}.`));
      socket.setTimeout(rest, () => fail("SSH_TIMEOUT", `nothing within ${rest} ms`));
      socket.on("close", () => fail("SSH_CLOSED", "it closed the connection"));
      socket.on("error", (error) => fail("SSH_CLOSED", error.message));
      options.signal?.addEventListener("abort", () => fail("SSH_CLOSED", "the attempt was given up"), { once: true });
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        // RFC 4253, 4.2: the server may send other lines first.
        const banner = /^(SSH-[^\r\n]+)\r?\n/m.exec(text);
        if (banner?.[1] !== undefined) resolve(banner[1]);
        else if (text.length > MOST_BYTES) fail("SSH_CLOSED", "it sent something else");
      });
    });
  } finally {
    socket.destroy();
  }
}
