import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

/** How long a process may take to end after SIGINT; the engine gives its plugins as much. */
const GRACE_MS = 5000;

export interface ProcessGroupOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A child process that leads a process group of its own, so that it ends with everything it started. */
export class ProcessGroup {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly pid: number;
  /** Resolves when the leader has ended. */
  readonly ended: Promise<ExitStatus>;
  #isEnded = false;
  readonly #killOnExit = () => this.#signal("SIGKILL");

  constructor(command: string, args: readonly string[], options: ProcessGroupOptions) {
    this.child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    if (this.child.pid === undefined) throw new Error(`${command} could not be started.`);
    this.pid = this.child.pid;
    // Writing to a child that has ended must not end the runner.
    this.child.stdin.on("error", () => {});
    process.on("exit", this.#killOnExit);
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        this.#isEnded = true;
        process.off("exit", this.#killOnExit);
        resolve({ code, signal });
      });
    });
  }

  /** Ends the group: SIGINT, then SIGKILL for what is still there after the grace period. */
  async stop(graceMs = GRACE_MS): Promise<void> {
    if (this.#isEnded) return;
    this.#signal("SIGINT");
    const timer = new AbortController();
    await Promise.race([this.ended, delay(graceMs, undefined, { signal: timer.signal })]);
    timer.abort();
    this.#signal("SIGKILL");
    await this.ended;
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      // ESRCH: the whole group has ended already, which is what the signal was for.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export function describeExit({ code, signal }: ExitStatus): string {
  return signal === null ? `exit status ${code}` : `signal ${signal}`;
}
