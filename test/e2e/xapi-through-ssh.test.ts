import { describe, expect, test } from "vitest";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { eventually } from "../support/eventually.ts";
import { changes, deploy, enginesUnderTest, forwards, succeeded, topology } from "./deployment.ts";
import { answers, expectNothingOpen, startGuests, stopGuests, whoAnswers } from "./web.ts";

const client = "192.168.1.50";
const env = { XENNET_XAPI_VIA: "ssh", XENNET_XAPI_URL: "", XENNET_XAPI_FINGERPRINT: "" };
const lookUp = `
const { getXenVm } = require("pulumi-xennet");
module.exports = async () => ({ powerState: (await getXenVm({ nameLabel: "Fedora server 1" })).powerState });`;
const https =
  'new PortForward("https", { forwarding: nat, externalPort: 443, target: "192.168.100.11", allowManagementPort: true, targetPort: 80 });';

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("with XAPI through SSH only, two web servers go up, are refreshed and go down, one of them on port 443", async () => {
    await using deployment = await deploy(engine, { env });
    const { host, preview, up, refresh, destroy } = deployment;
    await host.lab.runInDom0("iptables -I INPUT -i xenbr0 -p tcp --dport 443 -j REJECT --reject-with tcp-reset");
    const before = await captureHost(host.lab, host.simulator);
    expect(await whoAnswers(deployment, 443)).not.toContain("Fedora");

    deployment.write(topology({ forwards: `${forwards}${https}${lookUp}` }));
    const previewed = succeeded(await preview());
    expect(changes(previewed)).toContain("create PortForward https");
    expect(previewed.stdout + previewed.stderr).toContain("Port 443 of the host is forwarded");
    expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);

    const upped = succeeded(await up());
    expect(changes(upped)).toHaveLength(7);
    expect(upped.outputs).toEqual({ powerState: "Halted" });
    await startGuests(deployment);
    await answers(deployment, 443, `Fedora server 1:80 for ${client}`);
    await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
    await answers(deployment, 8080, `Fedora server 2:80 for ${client}`);
    // The guests' address settings became possible with their first start.
    succeeded(await up());

    // The host heals itself every minute; here the repair by Pulumi is what counts.
    await host.lab.runInDom0("kill -STOP $(cat /run/crond.pid) && iptables -t nat -F XENNET-PREROUTING");
    succeeded(await refresh());
    await host.lab.runInDom0("kill -CONT $(cat /run/crond.pid)");
    expect(changes(succeeded(await up({ refresh: false })))).toContain("update PortForward https");
    await answers(deployment, 443, `Fedora server 1:80 for ${client}`);

    succeeded(await destroy());
    await stopGuests(deployment);
    expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
    await expectNothingOpen(deployment);
  });

  test("a provider that is interrupted in the middle leaves no session and no connection, and the next up goes on", async () => {
    await using deployment = await deploy(engine, { env });
    const { host } = deployment;
    deployment.write(topology());
    host.simulator.faults.delay("network.create", 500);
    const running = deployment.up();
    await eventually(() => expect(host.simulator.countCalls("network.create")).toBe(1), 60_000);
    const provider = deployment.spawned.findLast(({ kind }) => kind === "provider");
    process.kill(provider?.pid ?? 0, "SIGINT");
    await eventually(() => expectNothingOpen(deployment), 3500);
    expect((await running).ok).toBe(false);
    succeeded(await deployment.up());
    await startGuests(deployment);
    await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
  });
});
