import { printable, printableText } from "./foreign-text";
import { redact } from "./redact";

/** Facts shown under the message of a {@link XennetError}, one line each. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface XennetErrorOptions {
  readonly facts?: ErrorFacts | undefined;
  readonly cause?: unknown;
  /** The input property the error is about, e.g. `ipv4.address`. */
  readonly property?: string | undefined;
}

/**
 * Base of every error this package raises on purpose: a stable `code`, one sentence saying what was wanted, what was
 * found and what to do, and facts. Registered secrets are scrubbed from both, and what a terminal would take for a command, or
 * for a line of its own, is written as an escape: texts of hosts, and of whoever may name a VM there, end up in messages.
 */
export class XennetError extends Error {
  readonly code: string;
  readonly property: string | undefined;
  readonly facts: ErrorFacts;

  constructor(code: string, message: string, options: XennetErrorOptions = {}) {
    super(printableText(cut(redact(message))), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "XennetError";
    this.code = code;
    this.property = options.property;
    this.facts = Object.fromEntries(
      Object.entries(options.facts ?? {}).map(([name, fact]) => [
        name,
        typeof fact === "string" ? printable(cut(redact(fact))) : fact,
      ]),
    );
  }
}

/** Nobody reads more than that, and nobody can be made to scroll past what matters. */
const longest = 20_000;

function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}… (${text.length - longest} more characters)` : text;
}
