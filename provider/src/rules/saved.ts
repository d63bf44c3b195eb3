import { parseCidr, parseIpv4, subnetOf } from "../validation/ipv4";
import { type PortRange, parsePortRange } from "../validation/port-range";

/** A match that may be negated. */
export interface Match<T> {
  readonly not: boolean;
  readonly value: T;
}

/**
 * A rule as some iptables printed it, taken apart as far as it can be told. What is not understood is kept as text, and
 * `isWhole` is false: such a rule may match fewer packets than it seems to.
 */
export interface SavedRule {
  readonly table: string;
  readonly chain: string;
  /** The line in one spelling for all versions: no counters, prefix lengths for masks, no needless quotes. */
  readonly text: string;
  /** With prefix length. */
  readonly source?: Match<string>;
  readonly destination?: Match<string>;
  readonly inInterface?: Match<string>;
  readonly outInterface?: Match<string>;
  readonly protocol?: Match<string>;
  readonly sourcePorts?: Match<readonly PortRange[]>;
  readonly destinationPorts?: Match<readonly PortRange[]>;
  readonly tcpFlags?: string;
  readonly destinationType?: string;
  readonly state?: string;
  readonly connectionState?: string;
  /** With prefix length. */
  readonly originSource?: Match<string>;
  readonly originDestination?: Match<string>;
  readonly comment?: string;
  readonly jump?: string;
  /** What DNAT or SNAT translates to. */
  readonly to?: string;
  readonly rejectWith?: string;
  readonly mss?: string;
  readonly isWhole: boolean;
}

/** Reads the output of `iptables-save` (1.3.5 to 1.8, legacy or nft); comments, chains and counters are left out. */
export function parseSaved(output: string): SavedRule[] {
  const rules: SavedRule[] = [];
  let table = "";
  for (const line of output.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1).trim();
    const rule = parseSavedRule(table, line);
    if (rule !== undefined) rules.push(rule);
  }
  return rules;
}

/** Reads one line `-A CHAIN …`; `undefined` when it is none. */
export function parseSavedRule(table: string, line: string): SavedRule | undefined {
  const [append, chain, ...words] = wordsOf(line.replace(/^\[[0-9]+:[0-9]+\] /, ""));
  if (append !== "-A" || chain === undefined) return undefined;
  const found: Record<string, unknown> = {};
  const text = ["-A", chain];
  let isWhole = true;
  for (let at = 0; at < words.length; ) {
    const not = words[at] === "!";
    const start = at;
    if (not) at += 1;
    const option = options.get(words[at] ?? "");
    const count = option === undefined ? 1 : option.words;
    const given = words.slice(at + 1, at + 1 + count);
    // 1.3.5 writes the negation behind the option: `-s ! 192.0.2.0/24`.
    const late = option !== undefined && given[0] === "!";
    const values = late ? words.slice(at + 2, at + 2 + count) : given;
    if (option === undefined) {
      isWhole = false;
      text.push(...words.slice(start, at + 1).map(quoted));
      at += 1;
      continue;
    }
    const value = option.read(values);
    if (value === undefined) isWhole = false;
    else if (option.key !== "") found[option.key] = option.negatable ? { not: not || late, value } : value;
    if (not && !option.negatable) isWhole = false;
    text.push(...(not || late ? ["!"] : []), words[at] ?? "", ...(option.show?.(values) ?? values).map(quoted));
    at += 1 + count + (late ? 1 : 0);
  }
  return { ...found, table, chain, text: text.join(" "), isWhole } as SavedRule;
}

interface Option {
  /** Field of {@link SavedRule}; empty when it says nothing of its own. */
  readonly key: string;
  /** How many words follow. */
  readonly words: number;
  readonly negatable?: boolean;
  /** `undefined`: not understood. */
  read(values: readonly string[]): unknown;
  /** The words in the spelling of newer versions. */
  show?(values: readonly string[]): string[];
}

const asText = ([value]: readonly string[]) => value;
const asCidr = ([value]: readonly string[]) => prefixed(value);
const field = (key: string): Option => ({ key, words: 1, read: asText });
const negatable = (key: string): Option => ({ ...field(key), negatable: true });
const address = (key: string): Option => ({
  ...negatable(key),
  read: asCidr,
  show: (values) => [asCidr(values) ?? values[0] ?? ""],
});
/** Unlike `-s`, it is printed without `/32`. */
const origin = (key: string): Option => ({
  ...address(key),
  show: (values) => [(asCidr(values) ?? values[0] ?? "").replace(/\/32$/, "")],
});
const ports = (key: string): Option => ({ ...negatable(key), read: ([value]) => portsOf(value) });
const flag = (key: string, value: string): Option => ({ key, words: 0, read: () => value });
const known = new Set(["tcp", "udp", "icmp", "comment", "state", "conntrack", "addrtype", "multiport"]);

const options: ReadonlyMap<string, Option> = new Map(
  Object.entries({
    "-s": address("source"),
    "-d": address("destination"),
    "-i": negatable("inInterface"),
    "-o": negatable("outInterface"),
    "-p": negatable("protocol"),
    "-m": { key: "", words: 1, read: ([name]) => (known.has(name ?? "") ? name : undefined) },
    "--sport": ports("sourcePorts"),
    "--dport": ports("destinationPorts"),
    "--sports": ports("sourcePorts"),
    "--dports": ports("destinationPorts"),
    "--tcp-flags": { key: "tcpFlags", words: 2, read: (values) => values.join(" ") },
    "--dst-type": field("destinationType"),
    "--state": field("state"),
    "--ctstate": field("connectionState"),
    "--ctorigsrc": origin("originSource"),
    "--ctorigdst": origin("originDestination"),
    "--comment": field("comment"),
    "-j": field("jump"),
    "-g": field("jump"),
    "--to-destination": field("to"),
    "--to-source": field("to"),
    "--to-ports": field("to"),
    "--reject-with": field("rejectWith"),
    "--set-mss": field("mss"),
    "--clamp-mss-to-pmtu": flag("mss", "pmtu"),
  }),
);

/** Splits a line at spaces, as iptables-restore does: `"…"` is one word, `\"` inside it a quote. */
function wordsOf(line: string): string[] {
  const words = line.trim().matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g);
  return [...words].map(([, inQuotes, bare]) => inQuotes?.replace(/\\(.)/g, "$1") ?? bare ?? "");
}

function quoted(word: string): string {
  return /^[^\s"\\]+$/.test(word) ? word : `"${word.replace(/["\\]/g, "\\$&")}"`;
}

/** `10.0.0.0/255.0.0.0` → `10.0.0.0/8`, `10.0.0.1` → `10.0.0.1/32`; roles stay as they are. */
function prefixed(value = ""): string | undefined {
  if (/^@[A-Z_]+@(\/32)?$/.test(value)) return value;
  const [address = "", mask] = value.split("/");
  const prefix = mask === undefined ? 32 : mask.includes(".") ? prefixOf(mask) : Number(mask);
  const cidr = parseCidr(`${address}/${prefix}`);
  return cidr === undefined ? undefined : subnetOf(cidr);
}

function prefixOf(mask: string): number | undefined {
  const value = parseIpv4(mask);
  if (value === undefined) return undefined;
  const free = 2 ** 32 - value;
  const prefix = 32 - Math.log2(free);
  return Number.isInteger(prefix) ? prefix : undefined;
}

function portsOf(text = ""): PortRange[] | undefined {
  const ranges = text.split(",").map((part) => {
    const [from = "", to] = part.split(":");
    // `:1024` and `1024:` are open at one end.
    return parsePortRange(to === undefined ? from : `${from || "1"}-${to || "65535"}`);
  });
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}
