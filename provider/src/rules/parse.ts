import type { PortRange } from "../validation/port-range";
import { translatedStates } from "./render";
import { type Chain, chains, type Rule, type Target } from "./rule";
import { type Match, parseSavedRule, type SavedRule } from "./saved";

/** The inverse of `renderRuleLine`; `undefined` for a line that no rule of this version renders to. */
export function parseRuleLine(text: string): Rule | undefined {
  const [, rank, table = "", line = ""] = /^([0-9]{1,2}) ([a-z]+) (.*)$/.exec(text) ?? [];
  const saved = parseSavedRule(table, line);
  return saved === undefined ? undefined : ownRule(saved, Number(rank));
}

function ownRule(saved: SavedRule, rank: number): Rule | undefined {
  const chain = (Object.keys(chains) as Chain[]).find(
    (key) => chains[key].table === saved.table && chains[key].name === saved.chain,
  );
  const target = targetOf(saved);
  if (chain === undefined || target === undefined || !saved.isWhole) return undefined;
  const matches = [
    saved.originSource,
    saved.originDestination,
    saved.source,
    saved.destination,
    saved.inInterface,
    saved.outInterface,
    saved.protocol,
  ];
  if (matches.some((match) => match?.not === true)) return undefined;
  const rule = {
    ...{ chain, rank, target },
    ...given("source", saved.source?.value),
    ...given("destination", saved.destination?.value),
    ...given("inInterface", saved.inInterface?.value),
    ...given("outInterface", saved.outInterface?.value),
    ...given("protocol", saved.protocol?.value),
    ...given("sourcePorts", portText(saved.sourcePorts)),
    ...given("destinationPorts", portText(saved.destinationPorts)),
    ...given("opensTcp", saved.tcpFlags === "SYN,RST SYN" || undefined),
    ...given("isForHost", saved.destinationType === "LOCAL" || undefined),
    ...given("state", saved.state ?? connectionState(saved)),
    ...given("originSource", saved.originSource?.value),
    ...given("originDestination", saved.originDestination?.value),
    ...given("wasDnated", saved.connectionState === "DNAT" || undefined),
    ...given("isTranslated", saved.connectionState === translatedStates || undefined),
  };
  return rule as Rule;
}

/** The states that stand beside who opened the connection. */
function connectionState({ connectionState }: SavedRule): string | undefined {
  return connectionState === "DNAT" || connectionState === translatedStates ? undefined : connectionState;
}

function given<T>(key: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [key]: value };
}

function portText(match: Match<readonly PortRange[]> | undefined): string | undefined {
  const [only] = match?.value ?? [];
  if (only === undefined) return undefined;
  return only.from === only.to ? String(only.from) : `${only.from}:${only.to}`;
}

function targetOf(saved: SavedRule): Target | undefined {
  const { jump, to, mss } = saved;
  if (jump === "ACCEPT" || jump === "DROP" || jump === "RETURN" || jump === "MASQUERADE") return { jump };
  if (jump === "DNAT" || jump === "SNAT") return to === undefined ? undefined : { jump, to };
  if (jump === "REJECT") return { jump, with: "icmp-host-prohibited" };
  if (jump === "TCPMSS" && mss !== undefined) return { jump, mss: mss === "pmtu" ? "pmtu" : Number(mss) };
  return undefined;
}
