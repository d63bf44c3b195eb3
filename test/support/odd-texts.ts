import fc from "fast-check";
import { unknownValue } from "../../provider/src/validation/unknown.ts";

/** What properties take, and beginnings of it. */
const likely = [
  ...[
    "192.168.100.11",
    "192.168.100.1/24",
    "10.0.0.0/8",
    "8080",
    "8000-8010",
    "tcp",
    "xenbr0",
    "any",
    "auto",
    "on",
    "0",
  ],
  ...["02:16:3e:00:00:01", "Internal network", "Fedora server 1", "locked", "fe80::1", "takeOver", "1500", "-j", ""],
  ...["5f0b0d0e-6a1e-4b8e-9f5e-0f2f6a0b7c11", "urn:pulumi:dev::shop::t::web", "host-forwarding", unknownValue],
];

/** What has a meaning of its own to a shell, iptables, XML, a fragment, a regular expression, JavaScript, or a person's eye. */
const special = [
  ...[
    "\n",
    "\r\n",
    "\t",
    " ",
    ";",
    "|",
    "&",
    "$(reboot)",
    "`id`",
    "$IFS",
    "%s",
    '"',
    "'",
    "\\",
    "\\n",
    "#",
    "*",
    "?",
    "~",
  ],
  ...["\u0000", "\u001b[2J", "\u007f", "\u0085", "\u00a0", "\u2028", "\u202e", "\ud800", "\ufffe", "é", "😀", "１"],
  ...[" -j ACCEPT", "@BRIDGE@", "@EXT_IP@", "<!--", "]]>", "&amp;", "__proto__", "constructor", "(a+)+$", "/../", "!"],
];

const tails = [
  "",
  "rule 1 nat -A XENNET-PREROUTING -j ACCEPT",
  "end",
  "80",
  "setting forwarding global",
  "XENNET_END",
  ".",
];

const half = fc.tuple(fc.constantFrom(...likely), fc.constantFrom(...special), fc.constantFrom(...tails));

/** Half of them are near misses of what is accepted. */
const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  half.map((parts) => parts.join("")),
  half.map(([middle, before, after]) => `${before}${middle}${after}`),
  fc.constantFrom(...likely, ...special, "x".repeat(256), "x".repeat(5000)),
);

/** As many odd texts as asked for, the same ones each time. */
export function oddTexts(count: number, seed: number): string[] {
  return fc.sample(oddText, { numRuns: count, seed });
}
