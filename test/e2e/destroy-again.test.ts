import { expect, test } from "vitest";
import type { SpawnedProcess } from "../engine/engine.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { startDetour } from "../support/detour.ts";
import { eventually } from "../support/eventually.ts";
import { type Deployment, deploy, enginesUnderTest, succeeded, topology } from "./deployment.ts";

const WINDOW_S = 15;
const env = { XENNET_CONFIRMATION_WINDOW: String(WINDOW_S) };

const capture = ({ host }: Deployment) => captureHost(host.lab, host.simulator);

/** Runs `act` as soon as a removal is in force on the host and awaits its confirmation. */
async function whileRemovalIsPending({ host }: Deployment, act: () => void): Promise<void> {
  const look = `set -- $(cat /etc/xennet/pending) && [ $(ls /etc/xennet/generations/$1 | wc -l) -lt 3 ] && ! iptables-save -t nat | grep -q -e '--dport 8080 '`;
  await eventually(async () => expect((await host.lab.runInDom0(look)).status).toBe(0), 60_000);
  act();
}

/** How a destroy is cut off while a removal awaits its confirmation, and what it says. */
const ends = {
  "its provider is killed": async (deployment: Deployment) => {
    let provider: SpawnedProcess | undefined;
    // The confirmation asks XAPI over a session of its own.
    deployment.host.simulator.faults.delay("pool.get_all_records", 3000, 100);
    const running = deployment.destroy({
      onSpawn: (spawned) => {
        if (spawned.kind === "provider") provider = spawned;
      },
    });
    await whileRemovalIsPending(deployment, () => process.kill(provider?.pid ?? 0, "SIGKILL"));
    expect((await running).ok).toBe(false);
    deployment.host.simulator.faults.clear();
  },
  "SSH is cut": async (deployment: Deployment) => {
    await using way = await startDetour(deployment.host.lab.ssh);
    deployment.host.simulator.faults.delay("pool.get_all_records", 1000, 100);
    const running = deployment.destroy({ env: { XENNET_SSH_PORT: String(way.port) } });
    await whileRemovalIsPending(deployment, () => {
      way.block();
      deployment.host.lab.cutSsh();
    });
    const cut = await running;
    deployment.host.simulator.faults.clear();
    expect(cut.ok).toBe(false);
    const [error = ""] = cut.steps.flatMap(({ error: text }) => (text ? [text] : []));
    expect(error).toMatch(/Run the command again.*\(NOT_CONFIRMED\)/s);
    const [, seconds] = /goes back by itself to what it was within (\d+) s/.exec(error) ?? [];
    expect(Number(seconds)).toBeLessThanOrEqual(WINDOW_S);
  },
};

const cases = enginesUnderTest().flatMap(({ label, engine }) =>
  Object.entries(ends).map(([how, cutOff]) => ({ label, engine, how, cutOff })),
);

test.each(cases)(
  "when $how during destroy, another destroy at once gives the host back as it was (on the $label)",
  async ({ engine, cutOff }) => {
    await using deployment = await deploy(engine, { env });
    const before = await capture(deployment);
    deployment.write(topology());
    succeeded(await deployment.up());
    await cutOff(deployment);
    succeeded(await deployment.destroy());
    expect(compareHosts(before, await capture(deployment))).toEqual([]);
    // Nothing comes back later either: what was pending is settled.
    await new Promise((resolve) => setTimeout(resolve, WINDOW_S * 1000));
    expect(compareHosts(before, await capture(deployment))).toEqual([]);
  },
);
