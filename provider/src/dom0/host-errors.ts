import { XennetError } from "../core/errors";
import { redact } from "../core/redact";
import { HostBusyError } from "./host-busy";
import { programText } from "./program-text";
import type { ProgramCommand } from "./remote-script";
import type { CommandResult } from "./ssh-connection";
import type { RefusedChange } from "./transaction-text";

const BUSY_STATUS = 75;

/** What two stacks must not both have: the host sees to that under its lock, whatever the checks saw before. */
const takenProperties: Readonly<Record<string, { readonly property: string; readonly wanted: string }>> = {
  CLAIM_TAKEN: { property: "externalPort", wanted: "a free port" },
  SUBNET_TAKEN: { property: "address", wanted: "a network of its own" },
  NETWORK_TAKEN: { property: "network", wanted: "a network of its own" },
};

/** Why the host did not make one change of a transaction. */
export function refusal({ token, code, text }: RefusedChange, stderr: string): XennetError {
  const taken = Object.hasOwn(takenProperties, code) ? takenProperties[code] : undefined;
  if (taken !== undefined && text !== "") {
    const message = `expected ${taken.wanted}, found that ${text}: another stack has it, also if both ran at the same moment. Choose another ${taken.property}, or take it out of that stack first; then run the command again`;
    return new XennetError(code, message, { facts: { token }, property: taken.property });
  }
  const why =
    text === "" || text === code ? ` without a reason, and ${saidBy({ stdout: "", stderr }, " else")}` : `: ${text}.`;
  return new XennetError(code, `The host refused the change${why}`, { facts: { token } });
}

/** Why a command of the host program failed as a whole. */
export function failure(command: ProgramCommand, result: CommandResult): XennetError {
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

/** The program ended with no code of its own, or was not reached. */
export function unexplained(command: ProgramCommand, result: CommandResult): XennetError {
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
