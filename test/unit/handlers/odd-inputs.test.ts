import { expect, test } from "vitest";
import {
  checkForwardingInputs,
  normalisedForwarding,
} from "../../../provider/src/handlers/forwarding/host-forwarding-check.ts";
import { checkForwardInputs, normalisedForward } from "../../../provider/src/handlers/forwarding/port-forward-check.ts";

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
