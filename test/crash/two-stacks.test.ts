import { expect, test } from "vitest";
import type { Props } from "../../provider/src/handlers/handler.ts";
import { provider, urnOf } from "../lab/handlers/host-under-test.ts";
import { startHost } from "../lab/host.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { type Declaration, destroy, type Kind, type Life, type Made, type State, up } from "./life/mini-engine.ts";

/** Rounds of each kind; XENNET_STACK_ROUNDS makes more of them. */
const rounds = Number(process.env["XENNET_STACK_ROUNDS"] ?? 2);

type Stack = "left" | "right";

/** What each of the two declares, so that both cannot have it. */
const contested: Readonly<
  Record<string, { readonly what: "nat" | "http"; of(stack: Stack, network: string): Declaration[] }>
> = {
  "the same subnet on networks of their own": {
    what: "nat",
    of: (stack) => [network(stack), forwarding(stack, "10.77.1.1/24")],
  },
  "overlapping subnets on networks of their own": {
    what: "nat",
    of: (stack) => [network(stack), forwarding(stack, stack === "left" ? "10.77.1.1/24" : "10.77.0.1/16")],
  },
  "the same network": {
    what: "nat",
    of: (stack, shared) => [forwarding(stack, stack === "left" ? "10.77.1.1/24" : "10.77.2.1/24", shared)],
  },
  "the same port": {
    what: "http",
    of: (stack) => {
      const index = stack === "left" ? 1 : 2;
      return [network(stack), forwarding(stack, `10.77.${index}.1/24`), forward(stack, 8080, `10.77.${index}.11`)];
    },
  },
};

test.each(Object.entries(contested))(
  "two stacks ask for %s at the same moment: one gets it, the other is told by whom",
  {
    timeout: 60_000 + rounds * 20_000,
  },
  async (_title, { what, of }) => {
    await using host = await startHost();
    const record = { name_label: "shared", name_description: "", other_config: {} };
    const shared = await host.simulator.admin.call<string>("network.create", record);
    const sharedUuid = await host.simulator.admin.call<string>("network.get_uuid", shared);
    const before = await captureHost(host.lab, host.simulator);
    const won = { left: 0, right: 0 };
    for (let round = 0; round < rounds; round += 1) {
      await using run = provider(host);
      const states: Record<Stack, State> = { left: new Map(), right: new Map() };
      const start = (stack: Stack, beforeCreate = async (_name: string) => {}) => {
        const life: Life = { context: run.process(), isOver: () => false, beforeCreate };
        return up(life, states[stack], of(stack, sharedUuid));
      };
      // Neither finds anything in its check that the other has made.
      const together = meeting(2);
      const meet = (name: string) => (name === what ? together() : Promise.resolve());
      const results = await Promise.allSettled([start("left", meet), start("right", meet)]);
      const failed = results.map(({ status }) => status === "rejected");
      expect({ round, failed: failed.filter(Boolean).length, why: reasons(results) }).toMatchObject({
        round,
        failed: 1,
      });
      const [winner, loser] = (failed[0] ? ["right", "left"] : ["left", "right"]) as [Stack, Stack];
      won[winner] += 1;
      expect(reasons(results)).toEqual([expect.stringContaining(`of stack shop/${winner}`)]);
      expect([...states[winner].keys()]).toContain(what);
      expect([...states[loser].keys()]).not.toContain(what);

      // What the winner has is in force, untouched, and its next run changes nothing; the other is still refused.
      const { stdout } = await host.lab.runInDom0("xennet snapshot");
      const owner = urnOf(what === "nat" ? "HostForwarding" : "PortForward", what, winner);
      expect(stdout).toContain(`owner ${owner}\n`);
      expect(stdout).not.toMatch(/^(missing|damaged) /m);
      await start(winner);
      await expect(start(loser)).rejects.toThrow(`of stack shop/${winner}`);

      // Once the winner lets go the other gets it.
      const gone: Life = { context: run.process(), isOver: () => false };
      await destroy(gone, states[winner]);
      await start(loser);
      await destroy({ context: run.process(), isOver: () => false }, states[loser]);
      expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
    }
    console.log(`${rounds} rounds, won by left ${won.left}, by right ${won.right}`);
  },
);

/** Resolves for all once so many wait. */
function meeting(count: number): () => Promise<void> {
  let open = (): void => {};
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  let waiting = 0;
  return () => {
    waiting += 1;
    if (waiting === count) open();
    return all;
  };
}

const reasons = (results: readonly PromiseSettledResult<void>[]): string[] =>
  results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));

function declaration(
  stack: Stack,
  kind: Kind,
  name: string,
  uses: string[],
  inputs: (of: (name: string) => Made) => Props,
) {
  const owner = urnOf(kind, name, stack);
  return { kind, name, uses, inputs: (of: (name: string) => Made) => ({ owner, ...inputs(of) }) };
}

const network = (stack: Stack): Declaration =>
  declaration(stack, "XenNetwork", "internal", [], () => ({ nameLabel: `Network of ${stack}` }));

const forwarding = (stack: Stack, address: string, on?: string): Declaration =>
  declaration(stack, "HostForwarding", "nat", on === undefined ? ["internal"] : [], (of) => ({
    ...{ network: on ?? of("internal").id, address },
  }));

const forward = (stack: Stack, externalPort: number, target: string): Declaration =>
  declaration(stack, "PortForward", "http", ["nat"], (of) => {
    const { id, outs } = of("nat");
    return {
      ...{ forwarding: id, network: outs["network"], forwardingAddress: outs["address"] },
      ...{ externalPort, target, targetPort: 80 },
    };
  });
