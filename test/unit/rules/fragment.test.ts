import fc from "fast-check";
import { expect, test } from "vitest";
import { type Fragment, parseFragment, renderFragment, rulesOf } from "../../../provider/src/rules/fragment.ts";
import { describeOwner, parseOwner, sameStack } from "../../../provider/src/rules/owner.ts";
import { portForwardRules } from "../../../provider/src/rules/port-forward.ts";

const hex = (length: number) =>
  fc.array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length }).map((c) => c.join(""));
const word = fc.stringMatching(/^[!-~]{1,20}$/);
const text = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);

const ports = fc
  .tuple(fc.integer({ min: 1, max: 65535 }), fc.nat(500))
  .map(([from, more]) => ({ from, to: Math.min(from + more, 65535) }));

const fragment: fc.Arbitrary<Fragment> = fc.record(
  {
    kind: fc.constantFrom("host-forwarding" as const, "port-forward" as const),
    token: hex(12),
    owner: text,
    incarnation: hex(16),
    name: text,
    network: fc.uuid(),
    externalInterface: word,
    externalAddress: word,
    forwarding: hex(12),
    claims: fc.array(fc.record({ protocol: fc.constantFrom("tcp" as const, "udp" as const), ports }), { maxLength: 3 }),
    enabled: fc.boolean(),
    description: text,
    settings: fc.array(fc.tuple(word, text), { maxLength: 4 }),
  },
  {
    requiredKeys: [
      "kind",
      "token",
      "owner",
      "incarnation",
      "name",
      "network",
      "externalInterface",
      "externalAddress",
      "settings",
      "claims",
      "enabled",
    ],
  },
);

test("a fragment survives rendering and parsing, whatever rules it holds", () => {
  const web = { from: 80, to: 80 };
  const rules = portForwardRules({
    ...{ protocols: ["tcp"], externalPorts: web, target: "192.168.100.11", targetPorts: web },
  });
  fc.assert(
    fc.property(fragment, (made) => {
      const rendered = renderFragment(made, rules);
      expect(parseFragment(rendered)).toEqual(made);
      expect(rulesOf(rendered)).toEqual(rules);
    }),
  );
});

test("a text that lacks what every fragment has is none", () => {
  expect(parseFragment("xennet-fragment 1\nkind port-forward\nend\n")).toBeUndefined();
  expect(parseFragment("")).toBeUndefined();
});

const urn = (stack: string, project: string, name: string) =>
  `urn:pulumi:${stack}::${project}::pulumi-nodejs:dynamic/xennet:PortForward::${name}`;

test("owners of one stack are told from those of another, a prefix included", () => {
  expect(sameStack(urn("dev", "shop", "a"), urn("dev", "shop", "b"))).toBe(true);
  expect(sameStack(urn("dev", "shop", "a"), urn("prod", "shop", "a"))).toBe(false);
  expect(sameStack(urn("dev", "shop", "a"), `team-b/${urn("dev", "shop", "a")}`)).toBe(false);
});

test("an owner is shown by name and stack", () => {
  expect(describeOwner(urn("dev", "shop", "http"))).toBe('"http" of stack shop/dev');
  expect(parseOwner("someone")).toBeUndefined();
  expect(describeOwner("someone")).toBe("someone");
});

test("a mark that somebody else wrote cannot pass for words of ours", () => {
  const forged = 'urn:pulumi:dev. Pin it: pulumi config set x::shop::t::na"t';
  expect(describeOwner(forged)).toBe('"na\\"t" of stack "shop/dev. Pin it: pulumi config set x"');
  expect(describeOwner("not a mark")).toBe('"not a mark"');
  expect(describeOwner("urn:pulumi:dev::shop::t::nat")).toBe('"nat" of stack shop/dev');
});
