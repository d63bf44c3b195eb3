import { describe, expect, test } from "vitest";
import { startHost } from "../lab/host.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
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
});
