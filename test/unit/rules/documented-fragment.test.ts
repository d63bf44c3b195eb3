import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseFragment, renderFragment, rulesOf } from "../../../provider/src/rules/fragment.ts";
import { hostForwardingRules } from "../../../provider/src/rules/host-forwarding.ts";
import { renderRuleLine } from "../../../provider/src/rules/render.ts";
import { parseCidr } from "../../../provider/src/validation/ipv4.ts";

const page = readFileSync(new URL("../../../docs/host-program.md", import.meta.url), "utf8");
const [, example = ""] = /```\n(xennet-fragment 1\n.*?\nend\n)```/s.exec(page) ?? [];

test("the documented fragment is written as the provider writes it, with rules that it renders", () => {
  const fragment = parseFragment(example);
  const address = parseCidr(fragment?.settings.find(([key]) => key === "address")?.[1]);
  if (fragment === undefined || address === undefined) throw new Error("docs/host-program.md shows no whole fragment");
  expect(renderFragment(fragment, rulesOf(example))).toBe(example);
  const rendered = hostForwardingRules({ address }).map((rule) => `rule ${renderRuleLine(rule, fragment.token)}`);
  const shown = example.split("\n").filter((line) => line.startsWith("rule "));
  expect(shown.length).toBeGreaterThan(1);
  expect(rendered).toEqual(expect.arrayContaining(shown));
});
