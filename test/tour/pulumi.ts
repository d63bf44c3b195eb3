import type { RunResult, SpawnedProcess, Stack, Step } from "../engine/engine.ts";
import type { Proofs } from "./proofs.ts";

type Verb = "preview" | "up" | "destroy";

const SIGNS: Readonly<Record<string, string>> = { create: "+", update: "~", delete: "-" };

/** Runs a stack's commands as a user would, tells what they did, and keeps what they printed. */
export class Pulumi {
  readonly #stack: Stack;
  readonly #proofs: Proofs;
  readonly #signal: AbortSignal;
  readonly #processes: SpawnedProcess[] = [];
  #output = "";

  constructor(stack: Stack, proofs: Proofs, signal: AbortSignal) {
    this.#stack = stack;
    this.#proofs = proofs;
    this.#signal = signal;
  }

  get stateFile(): string {
    return this.#stack.stateFile;
  }

  /** Everything that all commands printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Processes that were started for the commands and have not ended. */
  processesLeft(): SpawnedProcess[] {
    return this.#processes.filter(({ pid }) => isAlive(pid));
  }

  /** Runs one command; one that fails ends the tour with what it printed. */
  async run(verb: Verb): Promise<RunResult> {
    this.#signal.throwIfAborted();
    const started = Date.now();
    const result = await this.#stack[verb]({
      signal: this.#signal,
      onSpawn: (process) => this.#processes.push(process),
      onOutput: (text) => {
        this.#output += text;
      },
    });
    this.#signal.throwIfAborted();
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    if (!result.ok) {
      throw new Error(`pulumi ${verb} ended with status ${result.exitCode}:\n${result.stdout}${result.stderr}`);
    }
    this.#proofs.say(`   $ pulumi ${verb}   (${seconds} s)`);
    for (const step of changesOf(result)) this.#proofs.say(`     ${describeStep(step)}`);
    return result;
  }
}

/** The steps on our resources that change something. */
export function changesOf({ steps }: RunResult): Step[] {
  return steps.filter(
    ({ op, type }) => type.startsWith("pulumi-nodejs:dynamic/xennet:") && !["same", "refresh", "read"].includes(op),
  );
}

/** `update PortForward alternate (target, targetPort)` */
export function describeStep({ op, type, name, diffs = [] }: Step): string {
  const details = diffs.length === 0 ? "" : ` (${diffs.join(", ")})`;
  return `${SIGNS[op] ?? "±"} ${op} ${type.split(":").at(-1)} ${name}${op === "update" ? details : ""}`;
}

/** Every netfilter rule that a preview shows, as `<table> <line>`. */
export function rulesIn(preview: RunResult): string[] {
  const shown = preview.stdout.matchAll(/\b(filter|nat) +(-A XENNET-[A-Z]+ [^\n"]*?)(?=\\n|"|\n|$)/g);
  return [...new Set([...shown].map(([, table, line]) => `${table} ${line?.trimEnd()}`))];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
