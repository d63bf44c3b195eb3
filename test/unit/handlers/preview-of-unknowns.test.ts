import { expect, test } from "vitest";
import { forwardingRules } from "../../../provider/src/handlers/forwarding/host-forwarding-spec.ts";
import { normalisedForward } from "../../../provider/src/handlers/forwarding/port-forward-check.ts";
import { forwardRules } from "../../../provider/src/handlers/forwarding/port-forward-spec.ts";
import { describeRules } from "../../../provider/src/rules/render.ts";
import { unknownValue } from "../../../provider/src/validation/unknown.ts";

test("what is not known yet appears in the rules by the name of its property", () => {
  const known = { forwardingAddress: "192.168.100.1/24", externalPort: 8080, target: "192.168.100.11" };
  const texts = (given: Record<string, unknown>) =>
    describeRules(forwardRules(normalisedForward({ ...known, ...given })), "", {});
  expect(texts({ target: unknownValue })[0]).toMatch(/--dport 8080 -j DNAT --to-destination <target>:8080$/);
  expect(texts({ targetPort: unknownValue })[0]).toMatch(/--to-destination 192\.168\.100\.11:<targetPort>$/);
  expect(texts({ externalPort: unknownValue })[0]).toMatch(/--dport <externalPort> .*192\.168\.100\.11:<targetPort>$/);
  expect(texts({ sources: [unknownValue] })[0]).toMatch(/^nat -A XENNET-PREROUTING -s <sources> /);
  const outward = describeRules(forwardingRules({ address: "192.168.100.1/24", outbound: unknownValue }), "", {});
  expect(outward.join("\n")).toContain("-d <outbound> ");
});
