import { describe, expect, test } from "vitest";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { changes, deploy, enginesUnderTest, succeeded } from "./deployment.ts";
import { answers, expectNothingOpen, startGuests, stopGuests, whoAnswers } from "./web.ts";

const client = "192.168.1.50";
const everything = [
  "create HostForwarding nat",
  "create PortForward alternate",
  "create PortForward http",
  "create XenNetwork internal",
  "create XenVif server1",
  "create XenVif server2",
];

const backends = ["legacy", "nft"] as const;

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test.each(backends)(
    "the example goes its whole way with iptables-%s, and destroy gives the same host back",
    async (iptables) => {
      await using deployment = await deploy(engine, { iptables });
      const { host, preview, up, destroy } = deployment;
      deployment.useExample("examples/two-web-servers");
      const before = await captureHost(host.lab, host.simulator);
      expect(await whoAnswers(deployment, 80)).toBe("dom0's own page");
      expect(await whoAnswers(deployment, 8080)).toBe("unreachable");

      const previewed = succeeded(await preview());
      expect(changes(previewed)).toEqual(everything);
      expect(previewed.stdout).toContain("--dport 8080 -j DNAT --to-destination 192.168.100.12:80");
      expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);

      expect(changes(succeeded(await up()))).toEqual(everything);
      await startGuests(deployment);
      await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
      await answers(deployment, 8080, `Fedora server 2:80 for ${client}`);
      const outside = await host.lab.guestGet("Fedora server 1", host.lab.outsideUrl);
      expect(outside).toMatchObject({ kind: "answered" });
      expect(outside.kind === "answered" && JSON.parse(outside.body).peer).toBe("192.168.1.10");

      deployment.useExample("examples/two-web-servers/step2");
      expect(changes(succeeded(await preview({ refresh: false })))).toEqual(["update PortForward alternate"]);
      succeeded(await up());
      await answers(deployment, 8080, `Fedora server 1:8080 for ${client}`);
      const writing = host.simulator.countCalls((call) => call.writing && !call.method.startsWith("session."));
      expect(changes(succeeded(await up()))).toEqual([]);
      expect(host.simulator.countCalls((call) => call.writing && !call.method.startsWith("session."))).toBe(writing);

      await host.rebootDom0();
      await startGuests(deployment);
      await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
      await answers(deployment, 8080, `Fedora server 1:8080 for ${client}`);

      succeeded(await destroy());
      await stopGuests(deployment);
      expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
      await expectNothingOpen(deployment);
    },
  );
});
