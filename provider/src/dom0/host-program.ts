import { XennetError } from "../core/errors";
import { HostBusyError } from "./host-busy";
import { failure, refusal, unexplained } from "./host-errors";
import type { HostLink } from "./host-link";
import { programText } from "./program-text";
import { HOST_PATHS, type ProgramCommand, renderScript } from "./remote-script";
import { type HostSnapshot, parseSnapshot } from "./snapshot";
import type { CommandResult, SshConnection } from "./ssh-connection";
import { SshError } from "./ssh-errors";
import {
  parseConfirmation,
  parseTransactionAnswer,
  type RefusedChange,
  renderTransaction,
  type Transaction,
  type TransactionAnswer,
} from "./transaction-text";

/** The answer, and why the host refused a part of it. */
export interface AnsweredTransaction extends TransactionAnswer {
  readonly refused: (result: RefusedChange) => XennetError;
}

const GONE = new Set(["PROGRAM_ABSENT", "PROGRAM_MISSING"]);
const MOST_ATTEMPTS = 3;

/** Nothing is declared and nothing pending, yet something of ours is there; the look held the lock, so no run is at it. */
function isCutShort({ confirmed, pending, files }: HostSnapshot): boolean {
  const isLeft = files.includes(HOST_PATHS.program) || files.includes(HOST_PATHS.declarations);
  return confirmed === undefined && pending === undefined && isLeft;
}

/** The commands of the host program, typed, over SSH. */
export class HostProgram {
  readonly #link: HostLink;
  /** The version last seen on the host, to know whether the program's text must travel. */
  #installed: number | undefined;

  constructor(link: HostLink) {
    this.#link = link;
  }

  /** What the host shows; where a removal was cut short and nobody is at it, it is ended before. */
  async snapshot(): Promise<HostSnapshot> {
    const snapshot = await this.#look();
    if (!isCutShort(snapshot)) return snapshot;
    await this.#endRemoval();
    return this.#look();
  }

  /** Only reads, so a look that met a broken connection is simply taken again. */
  async #look(): Promise<HostSnapshot> {
    const look = async () => this.#seen(parseSnapshot((await this.#run({ name: "snapshot" })).stdout));
    return look().catch((error: unknown) => {
      if (error instanceof SshError && error.code === "SSH_CLOSED") return look();
      throw error;
    });
  }

  async transact(transaction: Transaction): Promise<AnsweredTransaction> {
    const input = renderTransaction(transaction);
    const { stdout, stderr } = await this.#run({ name: "transact", host: transaction.host, input });
    const answer = parseTransactionAnswer(stdout, transaction.changes);
    this.#seen(answer.snapshot);
    return { ...answer, refused: (result) => refusal(result, stderr) };
  }

  async confirm(generation: number, via?: SshConnection): Promise<HostSnapshot> {
    const { stdout } = await this.#run({ name: "confirm", generation }, via);
    return this.#seen(parseConfirmation(stdout, generation));
  }

  async revert(generation: number): Promise<void> {
    await this.#run({ name: "revert", generation });
  }

  /** Going back where nothing is declared takes everything away; number 0 is no generation's. */
  async #endRemoval(): Promise<void> {
    try {
      await this.revert(0);
    } catch (error) {
      // Somebody else is at work there meanwhile, or has ended it.
      const isOthers = error instanceof HostBusyError || (error instanceof XennetError && GONE.has(error.code));
      if (!isOthers) throw error;
    }
  }

  async #run(command: ProgramCommand, via?: SshConnection): Promise<CommandResult> {
    const canCarry = command.name === "snapshot" || command.name === "transact";
    let carry = command.name === "transact" && this.#installed !== programText().version;
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await this.#runOnce(command, carry, via);
      } catch (error) {
        // Another process's confirmation may take the program away at any moment.
        const isGone = error instanceof XennetError && GONE.has(error.code);
        if (!isGone || !canCarry || attempts === MOST_ATTEMPTS) throw error;
        carry = true;
      }
    }
  }

  async #runOnce(command: ProgramCommand, carry: boolean, via: SshConnection | undefined): Promise<CommandResult> {
    const script = renderScript(command, programText(), carry);
    const result = await this.#link.run(script.text, via);
    const at = result.stdout.indexOf(`${script.marker}\n`);
    // It never came to the program: a login shell that runs nothing, for one.
    if (at < 0) throw unexplained(command, result);
    const answer = { ...result, stdout: result.stdout.slice(at + script.marker.length + 1) };
    if (answer.code === 0) return answer;
    throw failure(command, answer);
  }

  #seen(snapshot: HostSnapshot): HostSnapshot {
    this.#installed = snapshot.program;
    return snapshot;
  }
}
