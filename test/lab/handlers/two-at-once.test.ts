import { afterAll, beforeAll, expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { CreateAnswer, Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { type Host, startHost } from "../host.ts";
import { type CapturedHost, captureHost, compareHosts } from "../same-host.ts";
import { provider, urnOf } from "./host-under-test.ts";

const stacks = ["first", "second"] as const;
type StackName = (typeof stacks)[number];

let host: Host;
let before: CapturedHost;
let run: ReturnType<typeof provider>;
beforeAll(async () => {
  host = await startHost();
  before = await captureHost(host.lab, host.simulator);
  run = provider(host);
});
afterAll(async () => {
  await run?.[Symbol.asyncDispose]();
  await host?.close();
});

const subnetOf = (stack: StackName) => (stack === "first" ? "10.77.1" : "10.77.2");
const destroys: Array<() => Promise<void>> = [];

async function declare(handler: Handler, inputs: Props): Promise<CreateAnswer> {
  const made = await handler.create(run.process(), inputs);
  destroys.push(() => handler.delete(run.process(), made.id, made.outs));
  return made;
}

async function checked(handler: Handler, given: Props): Promise<Props> {
  const { inputs, failures } = await handler.check(run.process(), {}, given);
  expect(failures).toEqual([]);
  return inputs;
}

async function makeNetwork(stack: StackName): Promise<string> {
  const owner = urnOf("XenNetwork", "internal", stack);
  const inputs = await checked(xenNetworkHandler, { owner, nameLabel: `Internal network of ${stack}` });
  return (await declare(xenNetworkHandler, inputs)).id;
}

const natOf = (stack: StackName, network: string, address: string): Props => ({
  ...{ owner: urnOf("HostForwarding", "nat", stack), network, address },
});

/**
 * Both stacks are checked before either writes; then both write at once. One gets what both want, the other is told whose it is,
 * and gets it once the first has let go of it.
 */
async function race(handler: Handler, given: Readonly<Record<StackName, Props>>, code: string, says: string) {
  const inputs = await Promise.all(stacks.map((stack) => checked(handler, given[stack])));
  const processes = stacks.map(() => run.process());
  const results = await Promise.allSettled(processes.map((one, index) => handler.create(one, inputs[index] as Props)));
  const won = results.findIndex(({ status }) => status === "fulfilled");
  const lost = 1 - won;
  expect(results[won]?.status).toBe("fulfilled");
  const { id, outs } = (results[won] as PromiseFulfilledResult<CreateAnswer>).value;
  expect(results[lost]).toMatchObject({ status: "rejected", reason: { code } });
  const { message } = (results[lost] as PromiseRejectedResult).reason as Error;
  expect(message).toContain(`of stack shop/${stacks[won]} on this host`);
  expect(message).toContain(says);
  await handler.delete(run.process(), id, outs);
  const second = await handler.create(run.process(), await checked(handler, given[stacks[lost] as StackName]));
  await handler.delete(run.process(), second.id, second.outs);
}

test("two stacks that want a port, a subnet or a network at the same moment: one has it, the other learns whose it is", async () => {
  const [one, other] = [await makeNetwork("first"), await makeNetwork("second")];
  const [nat1, nat2] = [natOf("first", one, "10.77.9.1/24"), natOf("second", other, "10.77.9.1/25")];
  await race(hostForwardingHandler, { first: nat1, second: nat2 }, "SUBNET_TAKEN", "Choose another address");
  const same = natOf("second", one.split("/")[1] ?? "", "10.77.2.1/24");
  await race(hostForwardingHandler, { first: nat1, second: same }, "NETWORK_TAKEN", "Choose another network");

  const forwards: Partial<Record<StackName, Props>> = {};
  for (const [stack, network] of [
    ["first", one],
    ["second", other],
  ] as const) {
    const address = `${subnetOf(stack)}.1/24`;
    const nat = await declare(
      hostForwardingHandler,
      await checked(hostForwardingHandler, natOf(stack, network, address)),
    );
    forwards[stack] = {
      ...{ owner: urnOf("PortForward", "web", stack), forwarding: nat.id, network, forwardingAddress: address },
      ...{ externalPort: 8080, target: `${subnetOf(stack)}.11`, targetPort: 80 },
    };
  }
  await race(portForwardHandler, forwards as Record<StackName, Props>, "CLAIM_TAKEN", "Choose another externalPort");
  for (const destroy of destroys.splice(0).reverse()) await destroy();
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
});
