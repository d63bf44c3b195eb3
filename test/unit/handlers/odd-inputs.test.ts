import { expect, test } from "vitest";
import {
  checkForwardingInputs,
  normalisedForwarding,
} from "../../../provider/src/handlers/forwarding/host-forwarding-check.ts";
import { forwardingRules } from "../../../provider/src/handlers/forwarding/host-forwarding-spec.ts";
import { checkForwardInputs, normalisedForward } from "../../../provider/src/handlers/forwarding/port-forward-check.ts";
import { describeRules } from "../../../provider/src/rules/render.ts";

const nat = { network: "Internal network", address: "192.168.100.1/24" };
const forward = {
  ...{ forwarding: "host/token", network: "Internal network", forwardingAddress: "192.168.100.1/24" },
  ...{ externalPort: 8080, target: "192.168.100.11" },
};

test.each([[5], [true], [null], [[]], [{}]])("host: %j is refused, and never taken for the default profile", (host) => {
  const failures = [
    ...checkForwardingInputs(normalisedForwarding({ ...nat, host })),
    ...checkForwardInputs(normalisedForward({ ...forward, host })),
  ];
  expect(failures.map(({ property }) => property)).toEqual(["host", "host"]);
  expect(normalisedForwarding(nat)).toMatchObject({ host: "default" });
  expect(normalisedForward(forward)).toMatchObject({ host: "default" });
});

test.each([[null], ["x"], [5], [[]], [undefined]])("an entry %j of guestAccessToHost is one failure", (entry) => {
  const news = normalisedForwarding({ ...nat, guestAccessToHost: [entry, { protocol: "udp", port: 123 }] });
  expect(checkForwardingInputs(news)).toEqual([
    {
      property: "guestAccessToHost[0]",
      reason: expect.stringMatching(/^expected an object with source, protocol or port, found /),
    },
  ]);
  // Check writes down the rules as well, of what can be read.
  const texts = describeRules(forwardingRules(news), "", {});
  expect(texts.filter((text) => text.includes("--dport 123 "))).toHaveLength(1);
});
