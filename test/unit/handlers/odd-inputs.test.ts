import { expect, test } from "vitest";
import {
  checkForwardingInputs,
  normalisedForwarding,
} from "../../../provider/src/handlers/forwarding/host-forwarding-check.ts";
import { forwardingRules } from "../../../provider/src/handlers/forwarding/host-forwarding-spec.ts";
import { checkForwardInputs, normalisedForward } from "../../../provider/src/handlers/forwarding/port-forward-check.ts";
import { shownFailure } from "../../../provider/src/handlers/presentable.ts";
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

test.each([
  ["192.168.101.0/24", 1],
  ["192.168.0.0/16", 1],
  ["10.0.0.7", 1],
  ["192.168.100.0/24", 0],
  ["192.168.100.128/25", 0],
  ["192.168.100.7", 0],
])("guests with a source in %s: %i failures", (source, failures) => {
  const news = normalisedForwarding({ ...nat, guestAccessToHost: [{ port: 53 }, { source, port: 53 }] });
  const failure = {
    property: "guestAccessToHost[1].source",
    reason: expect.stringMatching(/^expected a part of the network that address names, .*, found "/),
  };
  expect(checkForwardingInputs(news)).toEqual(failures === 0 ? [] : [failure]);
});

test.each([
  ['otherConfig["hush"]', "otherConfig[secret]"],
  ["ethtool.hush", "ethtool[secret]"],
  ["ethtool.rxhush", "ethtool[secret]"],
  ["ethtool.rx", "ethtool.rx"],
  ["adopt.hush.uuid", "adopt[secret]"],
  ["ipv4.address", "ipv4.address"],
  ["guestAccessToHost[12].source", "guestAccessToHost[12].source"],
  ["guestAccessToHost[0].hush", "guestAccessToHost[0][secret]"],
  ["tags[2]", "tags[2]"],
])("a failure at %s of a secret object names %s", (property, path) => {
  const root = property.split(/[.[]/)[0];
  const { reason } = shownFailure({ property, reason: "expected a text, found 5" }, [root]);
  expect(reason).toBe(`${path}: expected a text, found a secret value`);
  // In clear where it is no secret.
  expect(shownFailure({ property, reason: "expected a text, found 5" }, []).property).toBe(property);
});
