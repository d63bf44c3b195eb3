import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The on-host program as this release carries it. */
export interface ProgramText {
  readonly text: string;
  readonly version: number;
  readonly format: number;
}

let carried: ProgramText | undefined;

/** Reads the program that lies beside this module, once. */
export function programText(): ProgramText {
  carried ??= parseProgram(readFileSync(join(__dirname, "program", "xennet.sh"), "utf8"));
  return carried;
}

/** Reads version and format from line 2 of the program. */
export function parseProgram(text: string): ProgramText {
  const found = /^# xennet program (\d+) format (\d+)$/.exec(text.split("\n")[1] ?? "");
  if (found === null) throw new Error('Line 2 of xennet.sh is not "# xennet program <version> format <format>".');
  return { text, version: Number(found[1]), format: Number(found[2]) };
}
