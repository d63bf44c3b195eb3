import type { ClientChannel } from "ssh2";

/** What a command may print at most: whoever answers could otherwise fill this process's memory. */
export interface OutputLimits {
  readonly stdout: number;
  readonly stderr: number;
}

const megabyte = 1024 * 1024;

/**
 * A host with 2,000 forwards of ours answers with about 3 MB, most of them its own rules; the host program says what is wrong in a
 * few lines.
 */
export const usualOutput: OutputLimits = { stdout: 32 * megabyte, stderr: megabyte };

/** Calls `exceeded` once, as soon as a command has printed more than it may. */
export function watchOutput(channel: ClientChannel, limits: OutputLimits, exceeded: (what: string) => void): void {
  for (const [name, stream] of Object.entries({ stdout: channel, stderr: channel.stderr })) {
    const most = limits[name as keyof OutputLimits];
    let printed = 0;
    stream.on("data", (chunk: string | Buffer) => {
      const before = printed;
      printed += Buffer.byteLength(chunk);
      if (before <= most && printed > most) exceeded(`more than ${most / megabyte} MB on ${name}`);
    });
  }
}
