import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { checkForwardingInputs } from "../../../provider/src/handlers/forwarding/host-forwarding-check.ts";
import { checkForwardInputs } from "../../../provider/src/handlers/forwarding/port-forward-check.ts";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { checkNetworkInputs } from "../../../provider/src/handlers/network/check.ts";
import { checkVifInputs } from "../../../provider/src/handlers/vif/check.ts";
import type { Problem } from "../../../provider/src/validation/problem.ts";

const require = createRequire(import.meta.url);
// The built package and the one copy of the SDK, as a program loads them.
const pulumi: typeof import("@pulumi/pulumi") = require("@pulumi/pulumi");
const xennet: typeof import("../../../provider/src/index.ts") = require("../../../provider/dist/index.js");

const checks: Readonly<Record<string, (news: Props) => Problem[]>> = {
  XenNetwork: checkNetworkInputs,
  XenVif: checkVifInputs,
  HostForwarding: checkForwardingInputs,
  PortForward: checkForwardInputs,
};

/** The mocks get secrets as the engine does; a provider gets the plain value. */
function withoutMark(value: unknown): unknown {
  const isMarked = typeof value === "object" && value !== null && pulumi.runtime.specialSigKey in value;
  return isMarked ? (value as { value?: unknown }).value : value;
}

test("the checks accept whatever the classes hand on, with what they fill in themselves", async () => {
  const registered: Array<readonly [kind: string, inputs: Props]> = [];
  await pulumi.runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs }) => {
      const { secretInputs, __provider, ...given } = inputs;
      const plain = Object.entries(given).map(([key, value]) => [key, withoutMark(value)]);
      registered.push([type.split(":").at(-1) ?? "", Object.fromEntries(plain)]);
      return { id: `id-of-${name}`, state: inputs };
    },
  });
  const address = "192.168.100.1/24";
  const network = new xennet.XenNetwork("internal", { nameLabel: "Internal network" });
  const ipv4 = { address: "192.168.100.11/24", gateway: "192.168.100.1" };
  const plain = new xennet.HostForwarding("nat", { network, address });
  const text = pulumi.secret("a name");
  const externalInterface = pulumi.secret("eth1");
  const hidden = new xennet.HostForwarding("hidden", { network: text, address, externalInterface });
  const made = [
    new xennet.XenNetwork("hidden", { adopt: { nameLabel: text } }),
    new xennet.XenVif("hidden", { vm: text, network, ipv4: pulumi.secret(ipv4) }),
    new xennet.PortForward("hidden", { forwarding: hidden, externalPort: 8080, target: "192.168.100.11" }),
    new xennet.XenVif("bare", { vm: "Fedora server 1", network }),
    new xennet.XenVif("open", { vm: "Fedora server 1", network, ipv4 }),
    new xennet.PortForward("open", { forwarding: plain, externalPort: 8080, target: "192.168.100.11" }),
  ];
  await Promise.all(made.map(({ urn }) => new Promise((resolve) => urn.apply(resolve))));
  expect(new Set(registered.map(([kind]) => kind))).toEqual(new Set(Object.keys(checks)));
  expect(registered.flatMap(([kind, inputs]) => checks[kind]?.(inputs))).toEqual([]);
});
