import fc from "fast-check";
import { expect, test } from "vitest";
import { abandonsTarget, planRules } from "../../../provider/src/rules/plan.ts";
import { renderRuleLine } from "../../../provider/src/rules/render.ts";
import type { Rule } from "../../../provider/src/rules/rule.ts";
import { everyRule, forward } from "./declared.ts";

const same = (a: Rule, b: Rule) => renderRuleLine(a, "") === renderRuleLine(b, "");
const someRules = fc.array(fc.constantFrom(...everyRule), { maxLength: 12 });

test("what stays is in neither list, and applying the plan gives what is wanted", () => {
  fc.assert(
    fc.property(someRules, someRules, (now, wanted) => {
      const { add, remove } = planRules(now, wanted);
      const count = (rules: readonly Rule[], rule: Rule) => rules.filter((one) => same(one, rule)).length;
      for (const rule of new Set([...now, ...wanted])) {
        expect(count(now, rule) - count(remove, rule) + count(add, rule)).toBe(count(wanted, rule));
        expect(Math.min(count(add, rule), count(remove, rule))).toBe(0);
      }
    }),
  );
});

test("a change of target leaves one behind, other changes do not", () => {
  const now = forward();
  expect(abandonsTarget(planRules(now, forward({ target: "192.168.100.13" })))).toBe(true);
  expect(abandonsTarget(planRules(now, forward({ targetPorts: { from: 81, to: 81 } })))).toBe(true);
  expect(abandonsTarget(planRules(now, forward({ sources: ["192.0.2.0/24"] })))).toBe(false);
  expect(abandonsTarget(planRules(now, now))).toBe(false);
});
