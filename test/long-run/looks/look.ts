import type { Host } from "../../lab/host.ts";

export type XapiRecord = Readonly<Record<string, unknown>> & { readonly ref: string; readonly uuid: string };

/** Dom0 and pool as they are at one moment. */
export interface Look {
  /** `iptables-save` without comments and counters, a line an entry: `filter -A INPUT …`. */
  readonly rules: readonly string[];
  readonly rulesText: string;
  /** Interface → addresses with prefix length. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** Interfaces that are there, and whether they are up. */
  readonly links: ReadonlyMap<string, boolean>;
  /** `xenbr0/forwarding` → value. */
  readonly conf: ReadonlyMap<string, string>;
  readonly pending: boolean;
  readonly off: boolean;
  readonly installed: boolean;
  /** What calls the host program by itself, and is there. */
  readonly hooks: readonly string[];
  /** Token → owner and incarnation of each confirmed declaration. */
  readonly fragments: ReadonlyMap<string, { readonly owner: string; readonly incarnation: string }>;
  readonly networks: readonly XapiRecord[];
  readonly vifs: readonly XapiRecord[];
  readonly vms: readonly XapiRecord[];
}

const LOOK = `
echo '=== rules'; iptables-save 2>/dev/null
echo '=== addr'; ip -4 -o addr show
echo '=== link'; ip -o link show
echo '=== conf'; cd /proc/sys/net/ipv4/conf; grep -s . */forwarding */proxy_arp */send_redirects */rp_filter; cd /proc/sys/net/ipv6/conf 2>/dev/null && grep -s . */disable_ipv6
echo '=== etc'; cd /etc/xennet 2>/dev/null && { echo installed; ls pending off 2>/dev/null; }
echo '=== hooks'; ls /etc/cron.d/xennet /etc/init.d/xennet /etc/udev/rules.d/95-xennet.rules 2>/dev/null
echo '=== fragments'; [ ! -f /etc/xennet/confirmed ] || cat "/etc/xennet/generations/$(cat /etc/xennet/confirmed)"/*.fragment 2>/dev/null
true`;

/** Runs a script as dom0's administrator first; what that says is `said`. */
export async function lookAfter(host: Host, script: string): Promise<Look & { readonly said: string }> {
  const { status, stdout, stderr } = await host.lab.runInDom0(`{ ${script}\n} 2>&1\n${LOOK}`);
  if (status !== 0) throw new Error(`a look at dom0 ended with status ${status}: ${stderr}`);
  const section = (name: string) => sectionOf(stdout, name);
  const records = async (name: string): Promise<XapiRecord[]> => {
    const all = await host.simulator.admin.call<Record<string, Record<string, unknown>>>(`${name}.get_all_records`);
    return Object.entries(all).map(([ref, record]) => ({ ...record, ref }) as unknown as XapiRecord);
  };
  const rulesText = section("rules").join("\n");
  const etc = section("etc");
  return {
    said: stdout.split("=== rules\n")[0] ?? "",
    rulesText,
    rules: rulesIn(section("rules")),
    addresses: addressesIn(section("addr")),
    links: new Map(section("link").map((line) => [nameIn(line), /<[^>]*\bUP\b/.test(line)])),
    conf: new Map(section("conf").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)])),
    ...{ pending: etc.includes("pending"), off: etc.includes("off"), installed: etc.includes("installed") },
    hooks: section("hooks"),
    fragments: fragmentsIn(section("fragments")),
    ...{ networks: await records("network"), vifs: await records("VIF"), vms: await records("VM") },
  };
}

export const look = (host: Host): Promise<Look> => lookAfter(host, ":");

function sectionOf(text: string, name: string): string[] {
  const [, rest = ""] = text.split(`=== ${name}\n`);
  const [section = ""] = rest.split(/^=== /m);
  return section.split("\n").filter((line) => line !== "");
}

const nameIn = (line: string) => /^\d+: ([^@:\s]+)/.exec(line)?.[1] ?? "";

function rulesIn(lines: readonly string[]): string[] {
  let table = "";
  return lines.flatMap((line) => {
    if (line.startsWith("*")) table = line.slice(1).trim();
    const rule = line.replace(/^\[\d+:\d+\] /, "").trimEnd();
    return rule.startsWith("-A ") ? [`${table} ${rule}`] : [];
  });
}

function addressesIn(lines: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of lines) {
    const [, name = "", address = ""] = /^\d+: (\S+)\s+inet (\S+)/.exec(line) ?? [];
    found.set(name, [...(found.get(name) ?? []), address]);
  }
  return found;
}

function fragmentsIn(lines: readonly string[]): Look["fragments"] {
  const found = new Map<string, { owner: string; incarnation: string }>();
  let [token, owner, incarnation] = ["", "", ""];
  for (const line of lines) {
    const [word, value = ""] = [line.split(" ")[0], line.slice(line.indexOf(" ") + 1)];
    if (word === "token") token = value;
    else if (word === "owner") owner = value;
    else if (word === "incarnation") incarnation = value;
    else if (line === "end") found.set(token, { owner, incarnation });
  }
  return found;
}

/** A record's text field. */
export const text = (record: XapiRecord | undefined, field: string): string => String(record?.[field] ?? "");

/** A record's `other_config`. */
export const keysOf = (record: XapiRecord | undefined): Readonly<Record<string, string>> =>
  (record?.["other_config"] ?? {}) as Record<string, string>;
