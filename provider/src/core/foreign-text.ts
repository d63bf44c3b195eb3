import { redact } from "./redact";

const most = 200;

/**
 * What a terminal does not show as itself: control characters, half characters, line and paragraph separators, noncharacters, and
 * characters that are not seen or turn the text around them (Unicode's Cf). Emoji, and the scripts of Iran and India, need the
 * two joiners.
 */
const unprintableSource = String.raw`[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u{115F}\u{1160}\u{3164}\u{FFA0}]|(?![\u{200C}\u{200D}])\p{Cf}`;
const unprintable = new RegExp(unprintableSource, "u");
const everyUnprintable = new RegExp(unprintableSource, "gu");

/** True when a text holds a character that {@link printable} would write as an escape. */
export function isUnprintable(text: string): boolean {
  return unprintable.test(text);
}

/**
 * A text as a terminal may show it, on one line: every character that could move the cursor, start a line, hide or turn around
 * what stands beside it is written as an escape (`\n`, `\u001b`, `\u202e`); everything that can be read stays.
 */
export function printable(text: string): string {
  return text.replace(everyUnprintable, escaped);
}

/** Texts of several lines that were built here: the only ones whose line breaks are kept. */
const ownTexts = new Set<string>();

/** A text of several lines; a line break inside of one of them is written as an escape. */
export function ownLines(lines: readonly string[]): string {
  const text = redact(lines.map(printableText).join("\n"));
  ownTexts.add(text);
  return text;
}

/** As {@link printable}, but a text made by {@link ownLines} that stands in it keeps its lines. */
export function printableText(text: string): string {
  for (const own of ownTexts) {
    const at = text.indexOf(own);
    if (at < 0 || own === "") continue;
    return printableText(text.slice(0, at)) + own + printableText(text.slice(at + own.length));
  }
  return printable(text);
}

/**
 * A value between quotes, as every message shows one: it cannot end its quotes, nor pretend to be a new line by many blanks, nor
 * push the rest of the message out of sight by its length.
 */
export function quoted(value: unknown): string {
  const text = String(value);
  const shown = text.length > most ? `${text.slice(0, most)}…` : text;
  const inner = shown.replace(/["\\]/g, "\\$&").replace(/(\s)\s{3,}/gu, "$1…$1");
  return `"${printable(inner)}"`;
}

/**
 * Text of a peer that has not proved who it is, or of a library that quotes one, as a message may show it: one line of
 * printable ASCII, so that no terminal takes any of it for a command.
 */
export function oneLine(text: string): string {
  const line = text
    .replace(/\s+/g, " ")
    .replace(/[^ -~]+/g, "?")
    .trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).padStart(4, "0");
  return short[character] ?? (hex.length > 4 ? `\\u{${hex}}` : `\\u${hex}`);
}
