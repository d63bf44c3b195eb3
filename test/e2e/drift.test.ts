import { describe, expect, test } from "vitest";
import { changes, type Deployment, deploy, enginesUnderTest, succeeded, topology } from "./deployment.ts";
import { answers, startGuests } from "./web.ts";

const client = "192.168.1.50";

async function xapi<T>({ host }: Deployment, method: string, ...params: string[]): Promise<T> {
  return host.simulator.admin.call<T>(method, ...params);
}

/** The VIF of the first guest that our stack holds. */
async function ownVif(deployment: Deployment): Promise<string> {
  const [vm = ""] = await xapi<string[]>(deployment, "VM.get_by_name_label", "Fedora server 1");
  const [vif = ""] = await xapi<string[]>(deployment, "VM.get_VIFs", vm);
  return vif;
}

/** What somebody does by hand, and the resources that the next up has to change, and no other. */
const handmade: ReadonlyArray<{
  what: string;
  act: (deployment: Deployment) => Promise<unknown>;
  shows: RegExp;
  repairs: string[];
}> = [
  {
    what: "a rule deleted",
    act: ({ host }) => host.lab.runInDom0("iptables -t nat -F XENNET-PREROUTING"),
    shows: /rule nat -A XENNET-PREROUTING .*--dport 80 /,
    repairs: ["update PortForward alternate", "update PortForward http"],
  },
  {
    what: "the address removed",
    act: ({ host }) =>
      host.lab.runInDom0("ip addr del 192.168.100.1/24 dev $(ip -o addr | awk '/192.168.100.1/ {print $2}')"),
    shows: /address 192\.168\.100\.1\/24/,
    repairs: ["update HostForwarding nat"],
  },
  {
    what: "what calls the host program removed",
    act: ({ host }) => host.lab.runInDom0("rm /etc/cron.d/xennet /etc/init.d/xennet"),
    shows: /hook \/etc\/cron\.d\/xennet/,
    repairs: ["update HostForwarding nat"],
  },
  {
    what: "the network renamed",
    act: async (deployment) => {
      const [network = ""] = await xapi<string[]>(deployment, "network.get_by_name_label", "Internal network");
      await xapi(deployment, "network.set_name_label", network, "Renamed by hand");
    },
    shows: /Renamed by hand/,
    repairs: ["update XenNetwork internal"],
  },
  {
    what: "a VIF destroyed",
    act: async (deployment) => {
      const vif = await ownVif(deployment);
      await xapi(deployment, "VIF.unplug", vif);
      await xapi(deployment, "VIF.destroy", vif);
    },
    shows: /server1/,
    repairs: ["create XenVif server1"],
  },
];

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test.each(handmade)("refresh shows $what, and the next up repairs exactly that", async ({ act, shows, repairs }) => {
    await using deployment = await deploy(engine);
    deployment.write(topology());
    succeeded(await deployment.up());
    await startGuests(deployment);
    await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
    // The guests' address settings became possible with their first start.
    succeeded(await deployment.up());
    // The host heals itself every minute; here the repair by Pulumi is what counts.
    await deployment.host.lab.runInDom0("kill -STOP $(cat /run/crond.pid)");
    await act(deployment);
    const refreshed = succeeded(await deployment.refresh());
    expect(refreshed.stdout).toMatch(shows);
    await deployment.host.lab.runInDom0("kill -CONT $(cat /run/crond.pid)");
    expect(changes(succeeded(await deployment.up({ refresh: false })))).toEqual(repairs);
    await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
    await answers(deployment, 8080, `Fedora server 2:80 for ${client}`);
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
  });
});
