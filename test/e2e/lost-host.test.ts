import { describe, expect, test } from "vitest";
import type { RunResult } from "../engine/engine.ts";
import { startHost } from "../lab/host.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { mute } from "../support/silent-servers.ts";
import { changes, deploy, enginesUnderTest, succeeded, topology } from "./deployment.ts";
import { answers, startGuests, whoAnswers } from "./web.ts";

const client = "192.168.1.50";

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("an up without refresh puts back what a dom0 written anew has lost, and on another host says what to do", async () => {
    await using deployment = await deploy(engine);
    const { host, preview, up } = deployment;
    deployment.write(topology());
    succeeded(await up());
    await startGuests(deployment);
    await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
    // The guests' address settings became possible with their first start.
    succeeded(await up());
    expect(changes(succeeded(await up({ refresh: false })))).toEqual([]);

    // As an upgrade does it: XAPI's database stays, dom0's disk is another one.
    expect((await host.lab.runInDom0("xennet remove")).status).toBe(0);
    await host.rebootDom0();
    await startGuests(deployment);
    expect(await whoAnswers(deployment, 8080)).not.toContain("Fedora");
    const lost = ["update HostForwarding nat", "update PortForward alternate", "update PortForward http"];
    expect(changes(succeeded(await preview({ refresh: false })))).toEqual(lost);
    expect(changes(succeeded(await up({ refresh: false })))).toEqual(lost);
    await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
    await answers(deployment, 8080, `Fedora server 2:80 for ${client}`);
    expect(changes(succeeded(await up()))).toEqual([]);

    await using other = await startHost();
    const before = await captureHost(other.lab, other.simulator);
    for (const refresh of [false, true]) {
      const elsewhere = await up({ refresh, env: other.env });
      expect(elsewhere.ok).toBe(false);
      expect(elsewhere.stderr).toMatch(/now points at pool .* lives on pool .*Point the profile .*POINTS_ELSEWHERE/s);
    }
    expect(compareHosts(before, await captureHost(other.lab, other.simulator))).toEqual([]);
    expect(changes(succeeded(await up()))).toEqual([]);
  });

  test("a silent host costs each command 25 s at most, and one that is gone for good does not keep destroy from ending", async () => {
    await using deployment = await deploy(engine);
    const { up, preview, refresh, destroy } = deployment;
    const more = 'for (let n = 0; n < 44; n += 1) new XenNetwork("more" + n, { nameLabel: "More " + n });';
    deployment.write(`${topology()}\n${more}`);
    succeeded(await up());
    const [xapi, ssh] = [await mute(), await mute()];
    const silent = {
      XENNET_XAPI_URL: `https://127.0.0.1:${xapi.port}`,
      XENNET_SSH_HOST: "127.0.0.1",
      XENNET_SSH_PORT: `${ssh.port}`,
    };
    const took: Record<string, number> = {};
    const timed = async (name: string, run: () => Promise<RunResult>) => {
      const since = performance.now();
      const result = await run();
      took[name] = Math.round((performance.now() - since) / 100) / 10;
      return result;
    };
    for (const [name, run] of Object.entries({ refresh, up, destroy })) {
      const result = await timed(name, () => run({ env: silent }));
      expect(result.ok, name).toBe(false);
      expect(`${result.stdout}${result.stderr}`.match(/XAPI cannot be reached at/g)?.length, name).toBeLessThanOrEqual(
        3,
      );
    }
    const plain = await timed("preview", () => preview({ env: silent, refresh: false }));
    expect(`${plain.stdout}${plain.stderr}`).toContain("What depends on the host was not checked");
    // The rest is what the engine itself takes for 50 resources.
    for (const [name, seconds] of Object.entries(took)) expect(seconds, name).toBeLessThan(40);
    console.info(took);

    const env = { ...silent, XENNET_FORGET: "default" };
    const declared = await preview({ env });
    expect(`${declared.stdout}${declared.stderr}`).toContain("HOST_FORGOTTEN");
    const connections = xapi.connections() + ssh.connections();
    const gone = succeeded(await timed("forgetting destroy", () => destroy({ env })));
    expect(changes(gone)).toHaveLength(50);
    expect(changes(gone).every((change) => change.startsWith("delete "))).toBe(true);
    expect(`${gone.stdout}${gone.stderr}`).toMatch(
      /XenNetwork "more7" of stack shop\/dev was taken out of the state .*xe network-destroy uuid=/,
    );
    expect(xapi.connections() + ssh.connections()).toBe(connections);
    expect(changes(succeeded(await destroy({ env: silent })))).toEqual([]);
    const networks = await deployment.host.simulator.admin.call<string[]>("network.get_by_name_label", "More 7");
    expect(networks).toHaveLength(1);
  });
});
