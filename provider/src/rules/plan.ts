import { renderRuleLine } from "./render";
import type { Rule } from "./rule";

/** What would change on the host; rules that stay are in neither list. */
export interface RulePlan {
  readonly add: readonly Rule[];
  readonly remove: readonly Rule[];
}

const asText = (rule: Rule) => renderRuleLine(rule, "");

/** Compares what is declared now with what shall be; a rule that is there twice counts twice. */
export function planRules(now: readonly Rule[], wanted: readonly Rule[]): RulePlan {
  return { add: without(wanted, now), remove: without(now, wanted) };
}

function without(rules: readonly Rule[], others: readonly Rule[]): Rule[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(asText(other), (left.get(asText(other)) ?? 0) + 1);
  return rules.filter((rule) => {
    const count = left.get(asText(rule)) ?? 0;
    left.set(asText(rule), count - 1);
    return count <= 0;
  });
}

/** True when a target loses a forward in this plan: connections that are open stay with it until they end. */
export function abandonsTarget({ remove, add }: RulePlan): boolean {
  const targets = (rules: readonly Rule[]) =>
    rules.flatMap(({ target }) => (target.jump === "DNAT" ? [target.to] : []));
  const kept = new Set(targets(add));
  return targets(remove).some((target) => !kept.has(target));
}
