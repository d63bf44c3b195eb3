import fc from "fast-check";
import { expect, test } from "vitest";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { hostForwardingHandler } from "../../../provider/src/handlers/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/port-forward.ts";
import { unknownValue } from "../../../provider/src/validation/unknown.ts";
import { startHost } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { provider, urnOf } from "./host-under-test.ts";

const nat = { owner: urnOf("HostForwarding", "nat"), network: unknownValue, address: "192.168.100.1/24" };
const forward = {
  ...{ owner: urnOf("PortForward", "http"), forwarding: unknownValue, network: unknownValue },
  ...{ forwardingAddress: "192.168.100.1/24", externalPort: 8080, target: "192.168.100.11" },
};

/** Text properties, with a place for a text in those that hold one deeper down. */
const textProperties: ReadonlyArray<readonly [Handler, Props, string, (text: string) => unknown]> = [
  ...[
    "address",
    "externalInterface",
    "externalAddress",
    "outbound",
    "inbound",
    "snat",
    "forwardingScope",
    "persistence",
  ].map((key) => [hostForwardingHandler, nat, key, (text: string) => text] as const),
  [hostForwardingHandler, nat, "outbound", (text) => [text]],
  [hostForwardingHandler, nat, "guestAccessToHost", (text) => [{ source: text, protocol: text, port: text }]],
  ...[
    "target",
    "externalPort",
    "targetPort",
    "protocol",
    "externalAddress",
    "externalInterface",
    "description",
    "owner",
  ].map((key) => [portForwardHandler, forward, key, (text: string) => text] as const),
  [portForwardHandler, forward, "sources", (text) => [text]],
  [portForwardHandler, forward, "notSources", (text) => [text]],
];

/** Half of them are near misses of what is accepted. */
const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc
    .tuple(
      fc.constantFrom("192.168.100.11", "10.0.0.0/8", "8080", "8000-8010", "tcp", "xenbr0", "any", "-j", ""),
      fc.constantFrom(
        "\n",
        " ",
        ";",
        "$(reboot)",
        "`id`",
        '"',
        "'",
        "\\",
        "\u0000",
        " -j ACCEPT",
        "@BRIDGE@",
        "\u2028",
        "é",
      ),
      fc.constantFrom("", "rule 1 nat -A XENNET-PREROUTING -j ACCEPT", "end", "80"),
    )
    .map((parts) => parts.join("")),
);

test("1,000 odd texts in every text property never become more than the one value they are", {
  timeout: 300_000,
}, async () => {
  await using host = await startHost();
  await using run = provider(host);
  const before = await captureHost(host.lab, host.simulator);
  const context = run.process();
  for (const [handler, base, key, place] of textProperties) {
    for (const text of fc.sample(oddText, 1000)) {
      const { inputs, failures } = await handler.check(context, {}, { ...base, [key]: place(text) });
      if (failures.length > 0) {
        // Every owner that passes is another resource, which wants the same port.
        expect(
          failures.every(({ property }) => property.startsWith(key) || key === "owner"),
          `${key} ${text}`,
        ).toBe(true);
        continue;
      }
      for (const rule of inputs["rules"] as string[]) {
        // What a preview shows in place of a value that is not known is in angle brackets.
        expect(rule.replace(/<[^>]*>/g, "")).toMatch(/^(filter|nat|mangle) -A XENNET-[A-Z]+ [A-Za-z0-9 _.,:/!-]+$/);
      }
    }
  }
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
});
