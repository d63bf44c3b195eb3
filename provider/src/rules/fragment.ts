import { XennetError } from "../core/errors";
import { type PortRange, parsePortRange, renderPortRange } from "../validation/port-range";
import type { Transport } from "../validation/scalars";
import { parseRuleLine } from "./parse";
import { renderRuleLine } from "./render";
import type { Rule } from "./rule";

/** Version of the fragment format this code writes; the host program refuses files of a newer one. */
const fragmentFormat = 1;

/** Ports of the external address that a fragment takes. */
export interface Claim {
  readonly protocol: Transport;
  readonly ports: PortRange;
}

/** What one resource declares on a dom0; `docs/host-program.md` describes its text. */
export interface Fragment {
  readonly kind: "host-forwarding" | "port-forward";
  /** 12 hex digits, random: the resource's identity on the host and the name of its file. */
  readonly token: string;
  /** URN of the resource: a label, which changes when the resource or its stack is renamed. */
  readonly owner: string;
  /** 16 hex digits, new with every create: a delete that was meant for an earlier life is a no-op. */
  readonly incarnation: string;
  readonly name: string;
  /** UUID of the internal network. */
  readonly network: string;
  /** Interface name, or `auto`: the management interface. */
  readonly externalInterface: string;
  /** IPv4 address, or `auto`: the first one of the external interface. */
  readonly externalAddress: string;
  /** Token of the forwarding a port forward belongs to. */
  readonly forwarding?: string;
  readonly claims: readonly Claim[];
  /** False: declared, but without effect; such a fragment has no rules and holds no port. */
  readonly enabled: boolean;
  /** For people who look at the host. */
  readonly description?: string;
  readonly settings: ReadonlyArray<readonly [key: string, value: string]>;
}

/** The text that travels to the host; throws FRAGMENT_MALFORMED for a value that holds a line break. */
export function renderFragment(fragment: Fragment, rules: readonly Rule[]): string {
  const lines = [
    `xennet-fragment ${fragmentFormat}`,
    `kind ${fragment.kind}`,
    `token ${fragment.token}`,
    `owner ${fragment.owner}`,
    `incarnation ${fragment.incarnation}`,
    `name ${fragment.name}`,
    `network ${fragment.network}`,
    `external-interface ${fragment.externalInterface}`,
    `external-address ${fragment.externalAddress}`,
  ];
  if (fragment.forwarding !== undefined) lines.push(`forwarding ${fragment.forwarding}`);
  for (const { protocol, ports } of fragment.claims) lines.push(`claim ${protocol} ${renderPortRange(ports)}`);
  if (!fragment.enabled) lines.push("enabled no");
  if (fragment.description !== undefined) lines.push(`description ${fragment.description}`);
  for (const [key, value] of fragment.settings) lines.push(`setting ${key} ${value}`);
  for (const rule of rules) lines.push(`rule ${renderRuleLine(rule, fragment.token)}`);
  if (lines.some((line) => line.includes("\n"))) throw broken(fragment.token);
  return `${[...lines, "end"].join("\n")}\n`;
}

/** Every value was checked when it was declared; should one get past that, it must not become a line of its own. */
function broken(token: string): XennetError {
  return new XennetError(
    "FRAGMENT_MALFORMED",
    `the declaration ${token} is not sent: one of its values holds a line break`,
  );
}

/** Reads the declaring lines of a fragment; `undefined` when a line every fragment has is missing. */
export function parseFragment(text: string): Fragment | undefined {
  const values = new Map<string, string>();
  const settings: Array<readonly [string, string]> = [];
  const claims: Claim[] = [];
  for (const line of text.split("\n")) {
    const [key, rest] = splitWord(line);
    if (key === "setting") settings.push(splitWord(rest));
    else if (key === "claim") claims.push(...parseClaim(rest));
    else if (key !== "rule" && key !== "" && !values.has(key)) values.set(key, rest);
  }
  const kind = values.get("kind");
  if (kind !== "host-forwarding" && kind !== "port-forward") return undefined;
  const required = ["token", "owner", "incarnation", "network", "external-interface", "external-address"];
  const [token, owner, incarnation, network, externalInterface, externalAddress] = required.map((key) =>
    values.get(key),
  );
  if (!token || !owner || !incarnation || !network || !externalInterface || !externalAddress) return undefined;
  const forwarding = values.get("forwarding");
  const description = values.get("description");
  return {
    ...{ kind, token, owner, incarnation, name: values.get("name") ?? "" },
    ...{ network, externalInterface, externalAddress, settings, claims },
    enabled: values.get("enabled") !== "no",
    ...(forwarding === undefined ? {} : { forwarding }),
    ...(description === undefined ? {} : { description }),
  };
}

/** The rules of a fragment; those of a newer version that this one does not know are left out. */
export function rulesOf(text: string): Rule[] {
  const lines = text.split("\n").filter((line) => line.startsWith("rule "));
  return lines.map((line) => parseRuleLine(line.slice("rule ".length))).filter((rule) => rule !== undefined);
}

function parseClaim(text: string): Claim[] {
  const [protocol, ports] = splitWord(text);
  const range = parsePortRange(ports);
  const isTransport = protocol === "tcp" || protocol === "udp";
  return isTransport && range !== undefined ? [{ protocol, ports: range }] : [];
}

function splitWord(line: string): readonly [string, string] {
  const at = line.indexOf(" ");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
