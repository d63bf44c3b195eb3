import { renderRule } from "./render";
import { chains, type Rule } from "./rule";

/** Version of the fragment format this code writes; the host program refuses files of a newer one. */
const fragmentFormat = 1;

/** Who claims which port of the external address. */
export interface Claim {
  readonly protocol: string;
  readonly port: number;
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
  readonly claim?: Claim;
  readonly settings: ReadonlyArray<readonly [key: string, value: string]>;
}

/** The text that travels to the host. Values were validated before; none holds a line break. */
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
  if (fragment.claim !== undefined) lines.push(`claim ${fragment.claim.protocol} ${fragment.claim.port}`);
  for (const [key, value] of fragment.settings) lines.push(`setting ${key} ${value}`);
  for (const rule of rules) {
    lines.push(`rule ${rule.rank} ${chains[rule.chain].table} ${renderRule(rule, fragment.token)}`);
  }
  return `${[...lines, "end"].join("\n")}\n`;
}

/** Reads the declaring lines of a fragment; `undefined` when a line every fragment has is missing. */
export function parseFragment(text: string): Fragment | undefined {
  const values = new Map<string, string>();
  const settings: Array<readonly [string, string]> = [];
  for (const line of text.split("\n")) {
    const [key, rest] = splitWord(line);
    if (key === "setting") settings.push(splitWord(rest));
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
  const claim = parseClaim(values.get("claim"));
  return {
    ...{ kind, token, owner, incarnation, name: values.get("name") ?? "" },
    ...{ network, externalInterface, externalAddress, settings },
    ...(forwarding === undefined ? {} : { forwarding }),
    ...(claim === undefined ? {} : { claim }),
  };
}

function parseClaim(text: string | undefined): Claim | undefined {
  const [protocol, port] = splitWord(text ?? "");
  return protocol !== "" && /^[0-9]+$/.test(port) ? { protocol, port: Number(port) } : undefined;
}

function splitWord(line: string): readonly [string, string] {
  const at = line.indexOf(" ");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
