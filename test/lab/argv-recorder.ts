import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { INSIDE } from "./namespaces.ts";

/** A command line that was seen. */
interface SeenArgv {
  readonly where: "dom0" | "workstation";
  readonly argv: string;
}

/** A running collection of command lines. */
export interface ArgvRecorder {
  /** Ends the collection; every distinct command line seen since its start. */
  stop(): Promise<readonly SeenArgv[]>;
}

/** Samples all command lines of this machine, of which dom0's are a part, in a process of its own. */
export async function recordArgv(dom0PidNamespaceFile: string): Promise<ArgvRecorder> {
  const child = spawn(process.execPath, [`${INSIDE}argv-recorder.mjs`], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const seen: SeenArgv[] = [];
  const lines = createInterface({ input: child.stdout });
  const ended = new Promise<void>((resolve) => lines.once("close", resolve));
  await new Promise<void>((resolve) => lines.once("line", () => resolve()));
  lines.on("line", (line) => seen.push(JSON.parse(line) as SeenArgv));
  child.stdin.write(`${dom0PidNamespaceFile}\n`);
  return {
    stop: async () => {
      child.stdin.end();
      await ended;
      return seen;
    },
  };
}
