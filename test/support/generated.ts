import fc from "fast-check";
import { vi } from "vitest";

// So many cases take a busy machine more than the usual time.
vi.setConfig({ testTimeout: 120_000 });

/** How many cases each boundary is tried with. */
export const cases = 10_000;

/** Printed, so that a run can be repeated: `XENNET_SEED=<seed>`. */
const seed = Number(process.env["XENNET_SEED"] ?? (Date.now() ^ (process.pid << 8)) >>> 0);

/** Holds for as many cases as asked for, of a seed that is printed with the name of the boundary. */
export function holds<T>(
  boundary: string,
  arbitrary: fc.Arbitrary<T>,
  property: (value: T) => unknown,
  numRuns = cases,
): Promise<void> {
  console.info(`${boundary}: ${numRuns} cases, seed ${seed}`);
  return Promise.resolve(
    fc.assert(
      fc.asyncProperty(arbitrary, async (value) => (await property(value)) !== false),
      { numRuns, seed },
    ),
  );
}

/** That many cases at once, for a boundary that is tried in batches. */
export function sampled<T>(boundary: string, arbitrary: fc.Arbitrary<T>, count = cases): T[] {
  console.info(`${boundary}: ${count} cases, seed ${seed}`);
  return fc.sample(arbitrary, { numRuns: count, seed });
}

const meaningful = [
  ...[
    "$(touch /tmp/xennet-pwned)",
    "`touch /tmp/xennet-pwned`",
    `$${"{IFS}"}`,
    "$0",
    "'",
    '"',
    "\\",
    "\\n",
    "%s",
    "%n",
    "!",
    "#",
    ";",
    "|",
    "&",
  ],
  ...[
    "<<EOF",
    "EOF",
    "XENNET_",
    "end",
    "commit",
    "put 0123456789ab",
    "setting forwarding global",
    "rule 1 nat -A XENNET-PREROUTING -j ACCEPT",
  ],
  ...[
    "-j ACCEPT",
    "--comment",
    "@BRIDGE@",
    "@EXT_IP@",
    "&amp;",
    "&#x202e;",
    "<value>",
    "]]>",
    "<!--",
    "<![CDATA[",
    "__proto__",
    "constructor",
  ],
  ...["::", "urn:pulumi:", "/", ",", "=", " ", "  ", "\u00a0", "Müller", "漢字", "نام\u200cها", "👩\u200d👩", "é", "́"],
];

const dangerous = [
  "\n",
  "\r",
  "\t",
  "\0",
  "\u001b[2K",
  "\u009b1A",
  "\u007f",
  "\u2028",
  "\u202e",
  "\u2066",
  "\u200b",
  "\ufeff",
  "\ud800",
  "\ufffe",
];

const piece = (more: readonly string[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...meaningful, ...more) },
    { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 4 }) },
  );

/** Texts of what means something to a shell, awk, iptables, XML, a fragment, a URN or a person's eye; any character may be in them. */
export const hostileText = fc.array(piece(dangerous), { minLength: 1, maxLength: 8 }).map((parts) => parts.join(""));

/** The same in one line, of characters that our own inputs may hold. */
export const meaningfulText = fc.array(piece([]), { minLength: 1, maxLength: 8 }).map((parts) => parts.join(""));
