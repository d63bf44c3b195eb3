import fc from "fast-check";
import { expect, test } from "vitest";
import { countRules, type PortForwardSpec, portForwardRules } from "../../../provider/src/rules/port-forward.ts";

const networks = fc.array(fc.constantFrom("10.0.0.0/8", "192.0.2.1/32"), { maxLength: 3 });
const spec: fc.Arbitrary<PortForwardSpec> = fc
  .record(
    {
      protocols: fc.constantFrom(["tcp"] as const, ["udp"] as const, ["tcp", "udp"] as const),
      target: fc.constant("192.168.100.11"),
      at: fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.constantFrom(0, 1000), fc.nat(20)),
      sources: networks,
      notSources: networks,
      hairpin: fc.constant({ address: "192.168.100.1", prefix: 24 }),
      fromHost: fc.boolean(),
      management: fc.record({ ports: fc.subarray([22, 443]), sources: networks }),
    },
    { requiredKeys: ["protocols", "target", "at"] },
  )
  .map(({ at: [external, shift, more], ...others }) => ({
    ...others,
    externalPorts: { from: external, to: external + more },
    targetPorts: { from: external + shift, to: external + shift + more },
  }));

test("a forward's rules are counted without making them", () => {
  fc.assert(fc.property(spec, (forward) => countRules(forward) === portForwardRules(forward).length));
});

test("the count takes no time for a forward whose rules would fill the memory", () => {
  const sources = Array.from({ length: 1000 }, (_, index) => `10.0.${index >> 8}.${index & 255}/32`);
  const ports = { externalPorts: { from: 1, to: 40_000 }, targetPorts: { from: 2, to: 40_001 } };
  expect(countRules({ protocols: ["tcp"], target: "192.168.100.11", ...ports, sources })).toBe(40_000_001);
});
