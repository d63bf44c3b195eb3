import { XennetError } from "../core/errors";
import { quoted } from "../core/foreign-text";

/** An object of the pool as messages list it. */
export interface Named {
  readonly uuid: string;
  readonly name_label: string;
}

/** What is looked for: the text the user gave, and how messages name it. */
export interface Wanted {
  readonly property: string;
  /** In the singular, e.g. `VM`. */
  readonly what: string;
  readonly text: string;
}

/** Of a UUID given as such this much is enough. */
const shortestPrefix = 4;
/** A text that could be a name label needs more: `cafe` and `dead` are names, too. */
const shortestPrefixInsteadOfName = 8;

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const prefixManner = { shared: "whose UUID begins with", advice: "more of the UUID" };
const uuidShape = "00000000-0000-0000-0000-000000000000";

/**
 * The one that a text names: by its UUID, by its name label, or by the first 8 or more characters of its UUID. A name label
 * goes before the beginning of a UUID. None or several is an error that lists the candidates.
 */
export function byReference<T extends Named>(wanted: Wanted, all: readonly T[]): T {
  const text = wanted.text.toLowerCase();
  const named = all.filter((candidate) => candidate.name_label === wanted.text);
  if (uuidForm.test(text) || (named.length === 0 && isPrefix(text, shortestPrefixInsteadOfName))) {
    const found = all.filter((candidate) => candidate.uuid.startsWith(text));
    return theOnly(wanted, found, all, { by: "UUID or name label", ...prefixManner });
  }
  return theOnly(wanted, named, all, { by: "UUID or name label" });
}

/** The one with this name label. */
export function byNameLabel<T extends Named>(wanted: Wanted, all: readonly T[]): T {
  const found = all.filter((candidate) => candidate.name_label === wanted.text);
  return theOnly(wanted, found, all, { by: "name label" });
}

/** The one whose UUID is, or begins with, the text; at least 4 characters. */
export function byUuid<T extends Named>(wanted: Wanted, all: readonly T[]): T {
  const text = wanted.text.toLowerCase();
  const found = isPrefix(text, shortestPrefix) ? all.filter((candidate) => candidate.uuid.startsWith(text)) : [];
  return theOnly(wanted, found, all, {
    by: `UUID, or at least its first ${shortestPrefix} characters,`,
    ...prefixManner,
  });
}

/** The only one there is. */
export function onlyOne<T extends Named>(wanted: Omit<Wanted, "text">, all: readonly T[]): T {
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  const { property, what } = wanted;
  const reason = `expected a value, as there is not one ${what} only. There are: ${listed(all)}`;
  throw new XennetError(all.length === 0 ? "REFERENCE_UNKNOWN" : "REFERENCE_AMBIGUOUS", reason, { property });
}

/** How a text names its object, for the messages. */
export interface Manner {
  /** What the text can be. */
  readonly by: string;
  /** What the candidates have in common with it. */
  readonly shared?: string;
  /** What tells them apart. */
  readonly advice?: string;
}

/** The only one found; an error that lists what was found, or what there is. */
export function theOnly<T extends Named>(wanted: Wanted, found: readonly T[], all: readonly T[], manner: Manner): T {
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const { property, what, text } = wanted;
  if (found.length === 0) {
    const reason = `expected the ${manner.by} of a ${what}, found no ${what} for ${quoted(text)}. The pool has: ${listed(all)}`;
    throw new XennetError("REFERENCE_UNKNOWN", reason, { property });
  }
  const { shared = "named", advice = "the UUID" } = manner;
  const reason = `expected one ${what}, found ${found.length} ${shared} ${quoted(text)}: ${listed(found)}. Give ${advice} instead`;
  throw new XennetError("REFERENCE_AMBIGUOUS", reason, { property });
}

/** The candidates in alphabetical order; the first 20. */
function listed(candidates: readonly Named[]): string {
  if (candidates.length === 0) return "none";
  const most = 20;
  const shown = [...candidates]
    .sort((a, b) => a.name_label.localeCompare(b.name_label))
    .slice(0, most)
    .map(({ name_label, uuid }) => `${quoted(name_label)} (${uuid})`);
  const more = candidates.length > most ? `, and ${candidates.length - most} more` : "";
  return shown.join(", ") + more;
}

/** Hexadecimal digits, with dashes where a UUID has them. */
function isPrefix(text: string, shortest: number): boolean {
  return text.length >= shortest && uuidForm.test(text + uuidShape.slice(text.length));
}
