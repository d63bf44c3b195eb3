import type { Simulator } from "../sim/contract.ts";
import type { Lab } from "./lab.ts";

/** What "the same host" compares, as one text a thing. */
export interface CapturedHost {
  /** `network <uuid> name_label` → value as JSON. */
  readonly xapi: ReadonlyMap<string, string>;
  /** `filter: policy of FORWARD`, `nat: rules of PREROUTING` → text. */
  readonly rules: ReadonlyMap<string, string>;
  /** Addresses, routes and rules: a line each, in the host's order. */
  readonly addressing: ReadonlyMap<string, string>;
  /** `xenbr0: net.ipv4.conf.forwarding` → value. */
  readonly interfaces: ReadonlyMap<string, string>;
  /** Path → type, mode, owner, and digest or target. Enabled systemd units are links under `/etc/systemd`. */
  readonly files: ReadonlyMap<string, string>;
}

const CLASSES = ["network", "VIF", "PIF", "VM", "pool", "host"] as const;

/** Metrics and running operations: they change without anybody changing the host. */
const VOLATILE_FIELDS = new Set(["allowed_operations", "current_operations", "metrics", "guest_metrics"]);

/** Reads a host: XAPI's records from the simulator, the rest from dom0. Changes nothing, loads no netfilter table. */
export async function captureHost(lab: Lab, simulator: Simulator): Promise<CapturedHost> {
  const sections = await readDom0(lab);
  const section = (name: string) => sections.get(name) ?? [];
  return {
    xapi: await readXapi(simulator),
    rules: parseRules(section("rules")),
    addressing: new Map(
      ["addr", "route", "rule"].map((name) => [`ip -4 ${name}`, section(name).map(withoutLifetimes).join("\n")]),
    ),
    interfaces: parsePairs(section("interfaces")),
    files: parsePairs(section("files")),
  };
}

/** The differences between two captures of a host, in words; none when it is the same host. */
export function compareHosts(before: CapturedHost, after: CapturedHost): string[] {
  return [
    ...differences("XAPI", before.xapi, after.xapi),
    ...differences("iptables", withEmptyChains(before, after), withEmptyChains(after, before)),
    ...differences("dom0", before.addressing, after.addressing),
    ...differences(
      "interface",
      ofCommon(before.interfaces, after.interfaces),
      ofCommon(after.interfaces, before.interfaces),
    ),
    ...differences("file", before.files, after.files),
  ];
}

/** A difference that comes of VIFs made anew, as hosts before 7.1 need it: others to XAPI, and the same to their VMs. */
export function isOfNewVif(difference: string): boolean {
  return /^XAPI (VIF|(VM|network) \S+ VIFs) /.test(difference);
}

function differences(area: string, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [was, is] = [before.get(key), after.get(key)];
    if (was === is) continue;
    if (was === undefined) found.push(`${area} ${key} is new: ${is}`);
    else if (is === undefined) found.push(`${area} ${key} is gone: ${was}`);
    else found.push(`${area} ${key} was: ${was} — is: ${is}`);
  }
  return found;
}

/** Bridges and ports come and go with VMs: only interfaces that exist both times are compared. */
function ofCommon(pairs: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): Map<string, string> {
  const interfaceOf = (key: string) => key.slice(0, key.indexOf(": "));
  const known = new Set([...others.keys()].map(interfaceOf));
  return new Map([...pairs].filter(([key]) => known.has(interfaceOf(key))));
}

/** A table that is absent equals one of empty built-in chains with policy ACCEPT. */
function withEmptyChains(host: CapturedHost, other: CapturedHost): Map<string, string> {
  const rules = new Map(host.rules);
  const tablesOf = ({ rules: all }: CapturedHost) => new Set([...all.keys()].map((key) => key.split(" ")[0]));
  for (const [key] of other.rules) {
    if (tablesOf(host).has(key.split(" ")[0])) continue;
    if (/chain (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)$/.test(key)) rules.set(key, "policy ACCEPT");
  }
  return rules;
}

async function readXapi(simulator: Simulator): Promise<Map<string, string>> {
  const fields = new Map<string, string>();
  for (const className of CLASSES) {
    const records = await simulator.admin.call<Record<string, Record<string, unknown>>>(`${className}.get_all_records`);
    for (const record of Object.values(records)) {
      for (const [field, value] of Object.entries(record)) {
        if (!VOLATILE_FIELDS.has(field))
          fields.set(`${className} ${record["uuid"]} ${field}`, JSON.stringify(sorted(value)));
      }
    }
  }
  return fields;
}

/** Maps are unordered in XAPI, and so are its sets of references. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** `iptables-save` without comments and counters: one entry a chain, so that the order of rules counts. */
function parseRules(lines: readonly string[]): Map<string, string> {
  const chains = new Map<string, string>();
  let table = "";
  for (const line of lines) {
    const chain = /^:(\S+) (\S+)/.exec(line);
    const rule = /^(?:\[\d+:\d+\] )?(-A (\S+) .*)$/.exec(line);
    if (line.startsWith("*")) table = line.slice(1);
    else if (chain) chains.set(`${table} chain ${chain[1]}`, `policy ${chain[2]}`);
    else if (rule) {
      const key = `${table} chain ${rule[2]}`;
      chains.set(key, `${chains.get(key)}\n${rule[1]?.trimEnd()}`);
    }
  }
  return chains;
}

function parsePairs(lines: readonly string[]): Map<string, string> {
  return new Map(
    lines.map((line) => {
      const [key = "", ...value] = line.split("\t");
      return [key, value.join(" ")];
    }),
  );
}

/** `2: xenbr0    inet 192.168.1.10/24 scope global xenbr0\       valid_lft forever …` without index and lifetimes. */
const withoutLifetimes = (line: string) =>
  line
    .replace(/^\d+: /, "")
    .replace(/\\.*$/, "")
    .trimEnd();

async function readDom0(lab: Lab): Promise<Map<string, string[]>> {
  const { status, stdout, stderr } = await lab.runInDom0(READ);
  if (status !== 0) throw new Error(`Reading dom0 for the comparison ended with status ${status}: ${stderr}`);
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of stdout.split("\n")) {
    const name = /^=== (\S+)$/.exec(line)?.[1];
    if (name === undefined) {
      current.push(line);
      continue;
    }
    current = [];
    sections.set(name, current);
  }
  for (const lines of sections.values()) while (lines.at(-1) === "") lines.pop();
  return sections;
}

/** Names hold neither tabs nor newlines on a dom0. `flags` of sysfs are those that are set, not what the link does. */
const READ = `set -e
echo '=== rules'; iptables-save 2>/dev/null
echo '=== addr'; ip -4 -o addr show
echo '=== route'; ip -4 route show table all
echo '=== rule'; ip -4 rule show
echo '=== interfaces'
cd /sys/class/net
for interface in *; do
  [ -e "$interface/flags" ] || continue
  printf '%s: flags\\t%s\\n' "$interface" "$(cat "$interface/flags")"
done
cd /proc/sys/net
# stable_secret cannot be read.
{ grep -s . ipv4/conf/*/* ipv6/conf/*/* || true; } | sed -E 's|^(ipv[46])/conf/([^/]+)/([^:]+):(.*)|\\2: net.\\1.conf.\\3\\t\\4|'
echo '=== files'
find /etc /usr/local /var/lib -type l -printf '%p\\tlink %U:%G to %l\\n' -o -printf '%p\\t%y %m %U:%G\\n'
find /etc /usr/local /var/lib -type f -exec sha256sum {} + | sed -E 's/^(\\S+)  (.*)/\\2 (content)\\t\\1/'
`;
