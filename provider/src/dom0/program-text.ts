import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The on-host program as this release carries it: one file on the host, made of the parts that lie in `program/`. */
export interface ProgramText {
  readonly text: string;
  readonly version: number;
  readonly format: number;
}

/** In their order. An awk program, with its parts, becomes a shell variable: `model` is `MODEL_AWK`. */
const parts: ReadonlyArray<string | readonly [program: string, ...awk: string[]]> = [
  "settings.sh",
  ["fragment", "fragment.awk"],
  [
    "model",
    ...["interfaces.awk", "model.awk", "model-there.awk", "model-declared.awk", "model-roles.awk"],
    ...["model-settings.awk", "model-plan.awk", "model-snapshot.awk", "model-status.awk"],
  ],
  ["transaction", "interfaces.awk", "conflicts.awk", "transaction.awk"],
  ["saved_firewall", "saved-firewall.awk"],
  ...["commands.sh", "console.sh", "transactions.sh", "generations.sh", "converge.sh", "rules.sh"],
  ...["look.sh", "bridges.sh", "snapshot.sh"],
  ...["hooks.sh", "hooks-sysv.sh", "hooks-systemd.sh", "uninstall.sh", "files.sh", "main.sh"],
];

let carried: ProgramText | undefined;

/** Puts the program together from the parts beside this module, once. */
export function programText(): ProgramText {
  carried ??= parseProgram(parts.map((part) => (typeof part === "string" ? partOf(part) : awk(...part))).join("\n"));
  return carried;
}

/** Reads version and format from line 2 of the program. */
export function parseProgram(text: string): ProgramText {
  const found = /^# xennet program (\d+) format (\d+)$/.exec(text.split("\n")[1] ?? "");
  if (found === null) throw new Error('Line 2 of the program is not "# xennet program <version> format <format>".');
  return { text, version: Number(found[1]), format: Number(found[2]) };
}

function awk(program: string, ...names: string[]): string {
  const text = names.map(partOf).join("\n");
  if (text.includes("'")) throw new Error(`The awk program "${program}" would end at its apostrophe.`);
  return `# shellcheck disable=SC2016 # awk text\n${program.toUpperCase()}_AWK='\n${text}'\n`;
}

function partOf(name: string): string {
  return readFileSync(join(__dirname, "program", name), "utf8");
}
