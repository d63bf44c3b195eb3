import { describe, expect, test } from "vitest";
import { changes, deploy, enginesUnderTest, forwards, succeeded, topology } from "./deployment.ts";
import { answers, startGuests } from "./web.ts";

const client = "192.168.1.50";

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("renaming the network previews one change", async () => {
    await using deployment = await deploy(engine);
    deployment.write(topology());
    succeeded(await deployment.up());
    deployment.write(topology({ network: 'nameDescription: "renamed"' }));
    deployment.write(topology().replace("Internal network", "Renamed network"));
    expect(changes(succeeded(await deployment.preview()))).toEqual(["update XenNetwork internal"]);
    expect(changes(succeeded(await deployment.up()))).toEqual(["update XenNetwork internal"]);
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
  });

  test("a forward renamed without alias, and two forwards that swap their ports, pass in one up each", async () => {
    await using deployment = await deploy(engine);
    deployment.write(topology());
    succeeded(await deployment.up());
    await startGuests(deployment);
    deployment.write(topology({ forwards: forwards.replace('"http"', '"web"') }));
    expect(changes(succeeded(await deployment.up({ refresh: false })))).toEqual([
      "create PortForward web",
      "delete PortForward http",
    ]);
    await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
    const swapped = `
      new PortForward("web", { forwarding: nat, externalPort: 8080, target: "192.168.100.11", targetPort: 80 });
      new PortForward("alternate", { forwarding: nat, externalPort: 80, target: "192.168.100.12" });`;
    deployment.write(topology({ forwards: swapped }));
    expect(changes(succeeded(await deployment.up({ refresh: false })))).toEqual([
      "update PortForward alternate",
      "update PortForward web",
    ]);
    await answers(deployment, 80, `Fedora server 2:80 for ${client}`);
    await answers(deployment, 8080, `Fedora server 1:80 for ${client}`);
    expect((await deployment.host.lab.runInDom0("ls /etc/xennet/generations/*/*.fragment | wc -l")).stdout.trim()).toBe(
      "3",
    );
  });

  test.each(["XenNetwork::internal", "XenVif::server1", "HostForwarding::nat", "PortForward::http"])(
    "up --replace of %s ends with the declared state",
    async (resource) => {
      await using deployment = await deploy(engine);
      deployment.write(topology());
      succeeded(await deployment.up());
      await startGuests(deployment);
      await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
      // The guests' address settings became possible with their first start.
      succeeded(await deployment.up());
      const urn = `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:${resource}`;
      succeeded(await deployment.preview({ replace: [urn], refresh: false }));
      succeeded(await deployment.up({ replace: [urn], refresh: false }));
      await answers(deployment, 80, `Fedora server 1:80 for ${client}`, 10_000);
      await answers(deployment, 8080, `Fedora server 2:80 for ${client}`, 10_000);
      expect(changes(succeeded(await deployment.up()))).toEqual([]);
      succeeded(await deployment.destroy());
      expect(
        (
          await deployment.host.lab.runInDom0("ls -d /etc/xennet 2>/dev/null; iptables-save | grep -c XENNET")
        ).stdout.trim(),
      ).toBe("0");
    },
  );

  test("an alias keeps the resource, and only its owner's label changes", async () => {
    await using deployment = await deploy(engine);
    deployment.write(topology());
    succeeded(await deployment.up());
    const aliased = forwards.replace(
      'new PortForward("http", { forwarding: nat, externalPort: 80, target: "192.168.100.11" });',
      'new PortForward("web", { forwarding: nat, externalPort: 80, target: "192.168.100.11" }, { aliases: [{ name: "http" }] });',
    );
    deployment.write(topology({ forwards: aliased }));
    expect(changes(succeeded(await deployment.up({ refresh: false })))).toEqual(["update PortForward web"]);
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
  });
});
