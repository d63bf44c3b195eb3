import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { NodeSSH, SSHExecCommandResponse } from "node-ssh";
import { withDeadline } from "../core/deadline";
import { type OutputLimits, usualOutput, watchOutput } from "./output-limits";
import { SshError } from "./ssh-errors";
import { openForward } from "./ssh-forward";

/** What a remote command answered. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** The only command ever run on a host: nothing of ours is on its command line, the script comes by stdin. */
const REMOTE_SHELL = "/bin/sh -s";

/** Whether the server still is there is asked so often: one that vanished without a word is noticed within 20 s. */
export const KEEPALIVE = { keepaliveInterval: 5000, keepaliveCountMax: 3 };
const SILENCE_MS = KEEPALIVE.keepaliveInterval * (KEEPALIVE.keepaliveCountMax + 1);

const COMMAND_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 500;

/** A logged-in SSH connection over a socket. */
export class SshConnection {
  readonly #ssh: NodeSSH;
  readonly #socket: Socket;
  readonly #name: string;
  readonly #closed: Promise<void>;
  #isClosed = false;
  #isRetired = false;
  /** True once the server has left {@link KEEPALIVE} unanswered. */
  #isSilent = false;
  /** Commands and forwarded connections under way. */
  #uses = 0;

  readonly #output: OutputLimits;

  constructor(ssh: NodeSSH, socket: Socket, name: string, output: OutputLimits = usualOutput) {
    this.#output = output;
    this.#ssh = ssh;
    this.#socket = socket;
    this.#name = name;
    this.#closed = new Promise((resolve) => {
      const closed = () => {
        this.#isClosed = true;
        resolve();
      };
      const client = ssh.connection;
      client?.on("error", (error: Error & { level?: string }) => {
        this.#isSilent ||= error.level === "client-timeout";
      });
      if (client === null) closed();
      else client.once("close", closed).once("end", closed);
    });
  }

  get isClosed(): boolean {
    return this.#isClosed || !this.#ssh.isConnected();
  }

  /** Resolves when the connection is gone, whoever ended it. */
  whenClosed(): Promise<void> {
    return this.#closed;
  }

  /** Runs a shell script; any exit status is an answer, only a broken or silent connection is an error. */
  async run(script: string, timeoutMs: number = COMMAND_TIMEOUT_MS): Promise<CommandResult> {
    this.#uses += 1;
    try {
      return await this.#answerOf(script, timeoutMs);
    } finally {
      this.#release();
    }
  }

  async #answerOf(script: string, timeoutMs: number): Promise<CommandResult> {
    const answer = await withDeadline(
      timeoutMs,
      () => this.#silent(timeoutMs),
      (signal) => {
        // A late answer must not be waited for, nor the command be left with a reader.
        signal.addEventListener("abort", () => this.#socket.destroy());
        return this.#exec(script);
      },
    );
    if (answer.code === null) throw this.#lost(answer.signal === null ? "" : ` (killed by ${answer.signal})`);
    return { stdout: answer.stdout, stderr: answer.stderr, code: answer.code };
  }

  /** Opens a TCP connection from the host to an address as the host sees it. */
  async forward(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    if (this.isClosed) throw this.#lost("");
    this.#uses += 1;
    try {
      const channel = await openForward(this.#ssh, this.#name, { host, port }, signal);
      return channel.once("close", () => this.#release());
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Logs out as soon as nothing runs over it any more. */
  retire(): void {
    this.#isRetired = true;
    this.#endIfUnused();
  }

  /** Drops the connection at once, and what the network has not taken yet: it must not reach the host later. */
  abandon(): void {
    this.#socket.resetAndDestroy();
  }

  /** Logs out. Resolves when the connection is closed, which a dead peer cannot delay. */
  async end(): Promise<void> {
    const client = this.#ssh.connection;
    if (client === null) return;
    // The socket's own: ssh2's destroy() does nothing once end() was called.
    const timer = setTimeout(() => this.#socket.destroy(), END_TIMEOUT_MS);
    client.end();
    await this.#closed;
    clearTimeout(timer);
    this.#socket.destroy();
  }

  #release(): void {
    this.#uses -= 1;
    this.#endIfUnused();
  }

  #endIfUnused(): void {
    if (this.#isRetired && this.#uses === 0) void this.end();
  }

  async #exec(script: string): Promise<SSHExecCommandResponse> {
    let tooMuch: SshError | undefined;
    try {
      const answer = await this.#ssh.execCommand(REMOTE_SHELL, {
        stdin: script,
        noTrim: true,
        onChannel: (channel) => {
          // node-ssh decodes chunk by chunk, which breaks a character that spans two.
          channel.setEncoding("utf8");
          channel.stderr.setEncoding("utf8");
          watchOutput(channel, this.#output, (what) => {
            tooMuch = this.#tooMuch(what);
            this.#socket.destroy();
          });
        },
      });
      if (tooMuch !== undefined) throw tooMuch;
      return answer;
    } catch (error) {
      throw tooMuch ?? this.#lost("", error);
    }
  }

  #silent(timeoutMs: number): SshError {
    return new SshError("SSH_TIMEOUT", `${this.#name} did not answer a command within ${timeoutMs} ms.`);
  }

  #tooMuch(what: string): SshError {
    return new SshError(
      "SSH_ANSWER_TOO_LARGE",
      `A command on ${this.#name} printed ${what}, so the connection was closed; what it was to change goes back by itself. Is that address the dom0 of a XenServer or XCP-ng host? If it is, please report it with the output of \`xennet status | wc\`.`,
    );
  }

  #lost(detail: string, cause?: unknown): SshError {
    if (this.#isSilent) {
      return new SshError(
        "SSH_TIMEOUT",
        `${this.#name} does not answer any more: nothing came for ${SILENCE_MS / 1000} s.`,
        { cause },
      );
    }
    const text = `The SSH connection to ${this.#name} was lost before a command had ended${detail}.`;
    return new SshError("SSH_CLOSED", text, { cause });
  }
}
