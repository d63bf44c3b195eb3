import { describe, expect, test } from "vitest";
import type { RunResult } from "../engine/engine.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { changes, deploy, enginesUnderTest, succeeded } from "./deployment.ts";
import { expectAnswers, expectInForce, startServers, stopServer, threeNetworks } from "./three-networks.ts";

/** How often each engine makes and destroys everything; an `up` and its `destroy` take 5 to 10 s. */
const rounds = Number(process.env["XENNET_LOOPS"] ?? 20);

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test(`${rounds} times up and destroy of three networks, while the VMs run: each time all of it, and then the same host`, {
    timeout: 60_000 + rounds * 60_000,
  }, async () => {
    await using deployment = await deploy(engine);
    const { host, up, destroy, stack } = deployment;
    await startServers(deployment, 1, 2);
    const before = await captureHost(host.lab, host.simulator);
    deployment.write(threeNetworks);
    for (let round = 1; round <= rounds; round += 1) {
      const begun = performance.now();
      succeeded(await up());
      await expectInForce(deployment);
      await expectAnswers(deployment);
      const made = performance.now();
      // VIFs and forwardings are deleted side by side: each round a bridge vanishes at another moment of a transaction.
      host.simulator.faults.delay("VIF.unplug", (round * 137) % 1000, 5);
      succeeded(await destroy());
      const left = compareHosts(before, await captureHost(host.lab, host.simulator));
      expect({ round, left }).toEqual({ round, left: [] });
      const { resources = [] } = (await stack.exportDeployment()).deployment;
      expect(resources.filter(({ custom }) => custom)).toEqual([]);
      console.log(`round ${round}: up ${seconds(made - begun)} s, destroy ${seconds(performance.now() - made)} s`);
    }
  });

  test("VMs that stop and start show no drift: what waits for a bridge is there", async () => {
    await using deployment = await deploy(engine);
    const { host, up, refresh, destroy } = deployment;
    await startServers(deployment, 1, 2);
    const before = await captureHost(host.lab, host.simulator);
    deployment.write(threeNetworks);
    succeeded(await up());
    await expectInForce(deployment);

    // Server 1 is the last on its third network.
    await stopServer(deployment, 2);
    await startServers(deployment, 2);
    await stopServer(deployment, 1);
    expect(driftOf(succeeded(await refresh()))).toEqual([]);
    expect(changes(succeeded(await up()))).toEqual([]);
    await expectAnswers(deployment, 1);
    await startServers(deployment, 1);
    expect(changes(succeeded(await up()))).toEqual([]);
    await expectInForce(deployment);
    await expectAnswers(deployment);

    succeeded(await destroy());
    expect(withoutNumbersOfLife(compareHosts(before, await captureHost(host.lab, host.simulator)))).toEqual([]);
  });
});

/** What a refresh calls changed on the host; whether a bridge is there is told, and no drift. */
function driftOf({ steps }: RunResult): string[] {
  return steps.flatMap(({ name, diffs = [] }) => diffs.map((property) => `${name}: ${property}`));
}

const seconds = (ms: number) => (ms / 1000).toFixed(1);

/** A VM that stopped and started has another domid. */
const withoutNumbersOfLife = (differences: readonly string[]) =>
  differences.filter((difference) => !/^XAPI VM \S+ (domid|last_booted_record|metrics) /.test(difference));
