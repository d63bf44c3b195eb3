/** One reason why an input is refused; becomes a Pulumi check failure. */
export interface Problem {
  /** Path of the input property, e.g. `ipv4.address`. */
  readonly property: string;
  /** What was expected and what came, as one sentence. */
  readonly reason: string;
  /** The reason for a property that is secret; absent where the sentence without what came says enough. */
  readonly ifSecret?: string;
}

/** Puts a value of unknown type into a message: short, quoted, on one line. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Builds the usual sentence: what was expected, and what came. */
export function expected(property: string, wanted: string, found: unknown): Problem {
  return { property, reason: `expected ${wanted}, found ${shown(found)}` };
}
