import { randomBytes } from "node:crypto";
import type { ProgramText } from "./program-text";

/** What the host program is asked to do. */
export type ProgramCommand =
  | { readonly name: "snapshot" }
  | { readonly name: "transact"; readonly host: string; readonly input: string }
  | { readonly name: "confirm" | "revert"; readonly generation: number };

/** A script for `/bin/sh -s`, and the line after which its answer begins. */
export interface RemoteScript {
  readonly text: string;
  readonly marker: string;
}

/** Where things are on a dom0. */
export const HOST_PATHS = {
  program: "/usr/local/sbin/xennet",
  declarations: "/etc/xennet",
  inventory: "/etc/xensource-inventory",
};

type ScriptPaths = Pick<typeof HOST_PATHS, "program" | "inventory">;

/**
 * Renders the script that runs one command of the host program. `carry` puts the program's text into the script, for
 * hosts which have none or an older one: a snapshot then runs it from there, a transaction installs it first. Without
 * it, such a host answers `error PROGRAM_ABSENT <version|none>`. Where a removal took the program away after the look at it,
 * the answer is `error PROGRAM_MISSING`: nothing was run.
 *
 * POSIX sh for bash 3.2, dash and busybox. It is one compound command, so a script cut short by a lost connection is a
 * syntax error and does nothing. Texts go by quoted here-documents with random delimiters: nothing in them is
 * interpreted. The marker parts the answer from what a login script may print.
 */
export function renderScript(
  command: ProgramCommand,
  program: ProgramText,
  carry: boolean,
  paths: ScriptPaths = HOST_PATHS,
): RemoteScript {
  const marker = `xennet-answer-${randomBytes(8).toString("hex")}`;
  const text = `{
PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
LC_ALL=C; export LC_ALL
umask 077
program=${paths.program}
echo ${marker}
have=\`sed -n '2s/^# xennet program \\([0-9][0-9]*\\) format .*/\\1/p;2q' "$program" 2>/dev/null\`
if [ "\${have:-0}" -gt ${program.version} ]; then echo "error PROGRAM_NEWER $have"; exit 65; fi
if [ "\${have:-0}" -ne ${program.version} ]; then
${carry ? carriedProgram(command, program, paths) : absentProgram()}
fi
${installedProgram(command)}
status=$?
if [ $status = 127 ] && [ ! -e "$program" ]; then echo "error PROGRAM_MISSING $program was removed meanwhile"; status=65; fi
exit $status
}
`;
  return { text, marker };
}

function absentProgram(): string {
  return `echo "error PROGRAM_ABSENT \${have:-none}"; exit 65`;
}

function carriedProgram(command: ProgramCommand, program: ProgramText, paths: ScriptPaths): string {
  if (command.name === "snapshot") return `/bin/sh -s snapshot <<${hereDocument(program.text)}exit $?`;
  if (command.name === "transact") return installation(command.host, program, paths);
  return absentProgram();
}

/** Installing writes to the host, so it asks first whether this is the right one. */
function installation(host: string, program: ProgramText, paths: ScriptPaths): string {
  if (!/^[0-9A-Za-z-]+$/.test(host)) throw new Error(`Not a host UUID: ${JSON.stringify(host)}`);
  return `found=\`sed -n 's/^INSTALLATION_UUID=//p' ${paths.inventory} | tr -d "\\"'"\`
if [ "$found" != '${host}' ]; then echo "error HOST_MISMATCH \${found:-none}"; exit 65; fi
cat >"$program.new.$$" <<${hereDocument(program.text, `&& chmod 0700 "$program.new.$$" && mv -f "$program.new.$$" "$program" || { rm -f "$program.new.$$"; echo "error PROGRAM_INSTALL_FAILED $program could not be written"; exit 65; }`)}`;
}

function installedProgram(command: ProgramCommand): string {
  switch (command.name) {
    case "snapshot":
      return '"$program" snapshot </dev/null';
    case "transact":
      return `"$program" transact <<${hereDocument(command.input)}`.trimEnd();
    default:
      return `"$program" ${command.name} ${Math.trunc(command.generation)} </dev/null`;
  }
}

/** `'DELIMITER' <rest of the command line>`, the text, `DELIMITER`, each on its line. */
function hereDocument(text: string, rest = ""): string {
  const delimiter = `XENNET_${randomBytes(12).toString("hex")}`;
  const body = text.endsWith("\n") || text === "" ? text : `${text}\n`;
  return `'${delimiter}'${rest === "" ? "" : ` ${rest}`}\n${body}${delimiter}\n`;
}
