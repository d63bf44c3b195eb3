import { XennetError } from "../core/errors";
import { redact } from "../core/redact";
import { HostBusyError } from "./host-busy";
import type { HostLink } from "./host-link";
import { programText } from "./program-text";
import { type ProgramCommand, renderScript } from "./remote-script";
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

const BUSY_STATUS = 75;
const GONE = new Set(["PROGRAM_ABSENT", "PROGRAM_MISSING"]);
const MOST_ATTEMPTS = 3;

/** The commands of the host program, typed, over SSH. */
export class HostProgram {
  readonly #link: HostLink;
  /** The version last seen on the host, to know whether the program's text must travel. */
  #installed: number | undefined;

  constructor(link: HostLink) {
    this.#link = link;
  }

  /** Only reads, so a look that met a broken connection is simply taken again. */
  async snapshot(): Promise<HostSnapshot> {
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

function refusal({ token, code, text }: RefusedChange, stderr: string): XennetError {
  const why =
    text === "" || text === code ? ` without a reason, and ${saidBy({ stdout: "", stderr }, " else")}` : `: ${text}.`;
  return new XennetError(code, `The host refused the change${why}`, { facts: { token } });
}

function failure(command: ProgramCommand, result: CommandResult): XennetError {
  const [, code = "", text = ""] = /^error (\S+) ?(.*)$/m.exec(result.stdout) ?? [];
  if (result.code === BUSY_STATUS)
    return new HostBusyError(code === "" ? "BUSY" : code, text === "" ? "its lock is held" : text);
  switch (code) {
    case "":
      return unexplained(command, result);
    case "PROGRAM_NEWER":
      return new XennetError(
        code,
        `The host has version ${text} of the program xennet, this provider carries version ${programText().version} and does not touch what a newer one manages. Upgrade the package pulumi-xennet.`,
      );
    case "HOST_MISMATCH":
      return hostMismatch(command.name === "transact" ? command.host : "?", text);
    default:
      return new XennetError(
        code,
        `The host refused "xennet ${command.name}"${reason(code, text, result)}${advice[code] ?? ""}`,
      );
  }
}

/** The host's words; where it gave none, everything else that is known. */
function reason(code: string, text: string, result: CommandResult): string {
  if (text !== "" && text !== code) return `: ${text}.`;
  const others = { ...result, stdout: result.stdout.replace(/^error .*\n?/m, "") };
  return ` without a reason (status ${result.code}), and ${saidBy(others, " else")}`;
}

const makeRoom = " Is a disk of dom0 full or read-only? Make room there, then run up again.";

/** What to do, where the host's own words do not say it. */
const advice: Readonly<Record<string, string>> = {
  FORMAT_NEWER:
    " A newer version of this package worked on the host. Nothing was changed. Upgrade the package pulumi-xennet.",
  STORE_FAILED: makeRoom,
  PROGRAM_INSTALL_FAILED: makeRoom,
  CONFIRMED_UNREADABLE:
    " Nothing was changed. Restore that file on dom0, or run `xennet remove` there, then up with refresh.",
};

/** The SSH endpoint leads to another host than the XAPI endpoint. */
export function hostMismatch(expected: string, found: string): XennetError {
  return new XennetError(
    "HOST_MISMATCH",
    `The SSH and XAPI endpoints are different hosts: XAPI speaks for the host ${expected}, but SSH leads to the host ${found}. Nothing was changed. Correct the address or the port of one of them.`,
    { facts: { xapiHost: expected, sshHost: found } },
  );
}

function unexplained(command: ProgramCommand, result: CommandResult): XennetError {
  return new XennetError(
    "HOST_PROGRAM_FAILED",
    `"xennet ${command.name}" ended with status ${result.code} on the host, and ${saidBy(result)}`,
    { facts: { status: result.code } },
  );
}

/** What the host said, on stderr or else on stdout, and where to look further. */
function saidBy({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }, more = ""): string {
  const source = stderr.trim() === "" ? stdout : stderr;
  const said = redact(
    source
      .trim()
      .split(/\s*\n\s*/)
      .join(" / ")
      .slice(-500),
  ).replace(/\.$/, "");
  const words = said === "" ? `said nothing${more}` : `said: ${said}`;
  return `${words}. Log in to dom0: \`xennet status\` shows how things stand, and the system log what went wrong; then run the command again.`;
}
