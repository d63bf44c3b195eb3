import type { Lab } from "./lab.ts";

/** What is live of ours in dom0. */
export interface OwnRules {
  /** Rules by the token of the fragment they came from, in the order of `iptables-save`: `nat -A XENNET-PREROUTING …`. */
  readonly byToken: ReadonlyMap<string, readonly string[]>;
  /** `filter -A FORWARD -j XENNET-FORWARD`, as often as it is there. */
  readonly jumps: readonly string[];
}

/** Reads the live rules that are ours; one in an own chain without a token is an error. */
export async function ownRules(lab: Lab): Promise<OwnRules> {
  const { status, stdout, stderr } = await lab.runInDom0("iptables-save");
  if (status !== 0) throw new Error(`iptables-save ended with status ${status}: ${stderr}`);
  const byToken = new Map<string, string[]>();
  const jumps: string[] = [];
  let table = "";
  for (const line of stdout.split("\n").map((raw) => raw.trimEnd())) {
    if (line.startsWith("*")) table = line.slice(1);
    else if (/^-A \S+ -j XENNET-/.test(line)) jumps.push(`${table} ${line}`);
    else if (line.startsWith("-A XENNET-")) {
      const token = /--comment "?xennet-([0-9a-f]{12})/.exec(line)?.[1];
      if (token === undefined) throw new Error(`a rule in a chain of ours names no fragment: ${table} ${line}`);
      byToken.set(token, [...(byToken.get(token) ?? []), `${table} ${line}`]);
    }
  }
  return { byToken, jumps };
}
