import { describe, expect, test } from "vitest";
import { parseSavedRule } from "../../provider/src/rules/saved.ts";
import type { LabOptions } from "../lab/lab.ts";
import { captureHost, compareHosts, isOfNewVif } from "../lab/same-host.ts";
import { run } from "../lab/shell.ts";
import { legs } from "../support/legs.ts";
import { changes, type Deployment, deploy, enginesUnderTest, succeeded } from "./deployment.ts";
import { poolOf, type VifRow } from "./pool.ts";
import { answers, expectNothingOpen, stopGuests, whoAnswers } from "./web.ts";

const client = "192.168.1.50";
const guests = ["Fedora server 1", "Fedora server 2"] as const;
const external = "Pool-wide network associated with eth0";
const everything = [
  "create HostForwarding nat",
  "create PortForward alternate",
  "create PortForward http",
  "create XenNetwork internal",
  "create XenNetwork network0",
  "create XenVif server1",
  "create XenVif server2",
];

/** Runs a script in dom0; it must succeed. */
async function onDom0({ host }: Deployment, script: string): Promise<string> {
  const { status, stdout, stderr } = await host.lab.runInDom0(`set -e\n${script}`);
  expect({ status, stderr }, script).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** Who saw the request of a guest, and as whom; or what came instead. */
async function guestMeets({ host }: Deployment, vm: string, url: string): Promise<string> {
  const answer = await host.lab.guestGet(vm, url);
  if (answer.kind !== "answered") return answer.kind;
  return answer.body.startsWith("{") ? `for ${JSON.parse(answer.body).peer}` : "dom0's own page";
}

type NamedHost = readonly [profile: string, options: LabOptions];

/** Today's host, and the one that the how-to was written for; their bridges as it met them. */
const hosts: readonly [NamedHost, NamedHost] = [
  ["xcp-ng-8.3", { iptables: "legacy", bridgeNoArp: true }],
  ["xenserver-5.6", { profile: "xenserver-5.6", bridgeNoArp: true }],
];

const asTheirVmsSeeThem = (vifs: readonly VifRow[]) =>
  vifs.map(({ ref, uuid, currently_attached, ...vif }) => ({ ...vif, allowed_operations: [] }));

const cases = enginesUnderTest().flatMap((engine) => legs(...hosts).map((host) => ({ ...engine, host })));

describe.each(cases)("on the $label, host $host.0", ({ engine, host: [profile, options] }) => {
  const isOld = profile === "xenserver-5.6";

  test("the recipe's example has the effect of each of its steps, keeps it, and gives the same host back", async () => {
    await using deployment = await deploy(engine, options);
    const { host, preview, up, destroy } = deployment;
    const pool = poolOf(deployment);
    const vifOf = async (vm: string) => (await pool.vifsOf(vm))[0] as VifRow & { network: string };
    deployment.useExample("examples/recipe");
    const before = await captureHost(host.lab, host.simulator);
    const vifsBefore = [await vifOf(guests[0]), await vifOf(guests[1])];

    // 3: the beginning of a UUID is enough.
    const [first = ""] = await pool.call<string[]>("VM.get_by_name_label", guests[0]);
    const uuid = await pool.call<string>("VM.get_uuid", first);
    await deployment.stack.setConfig("server1", uuid.slice(0, 8));

    expect(changes(succeeded(await preview()))).toEqual(everything);
    expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
    expect(changes(succeeded(await up()))).toEqual(everything);
    // 7: XAPI sets a guest's address once its tools run; on an old host the guest's administrator does.
    for (const [index, vm] of guests.entries()) {
      if (isOld) await host.lab.setGuestAddress(vm, `192.168.100.1${index + 1}/24`, "192.168.100.1");
    }
    await pool.start(...guests);
    const { outputs } = succeeded(await up());
    const bridge = String(outputs["bridge"]);

    const identity = (vif: VifRow | undefined) => (isOld ? {} : { uuid: vif?.uuid });
    // 1, 4 to 6: each VM has the one VIF on the one network, and XenCenter adds no other.
    const networks = await pool.networks();
    const internal = networks.find(({ name_label }) => name_label === "Internal network");
    expect(internal).toMatchObject({ name_description: "Internal network", bridge });
    expect(networks.find(({ name_label }) => name_label === external)?.other_config["automatic"]).toBe("false");
    for (const [index, vm] of guests.entries()) {
      const was = vifsBefore[index];
      expect(await pool.vifsOf(vm)).toEqual([
        expect.objectContaining({ ...identity(was), MAC: was?.MAC, device: "0", network: internal?.ref }),
      ]);
    }
    // 2: the table that `xe vif-list` does not have.
    const vifsNow = [await vifOf(guests[0]), await vifOf(guests[1])];
    expect(outputs["table"]).toEqual(
      guests.map((vm, index) => {
        const { uuid = "", MAC = "" } = vifsNow[index] ?? {};
        return `${vm} | Internal network | ${uuid} | 0 | ${MAC} | attached`;
      }),
    );

    const expectEverything = async () => {
      // 14, 7
      await answers(deployment, 80, `${guests[0]}:80 for ${client}`);
      await answers(deployment, 8080, `${guests[1]}:80 for ${client}`);
      // 8, 11
      const keys = [
        "ip_forward",
        ...["send_redirects", "arp_filter"].flatMap((key) => [`conf.${bridge}.${key}`, `conf.xenbr0.${key}`]),
        `conf.${bridge}.proxy_arp`,
      ];
      expect(await onDom0(deployment, `sysctl -n ${keys.map((key) => `net.ipv4.${key}`).join(" ")}`)).toBe(
        "1\n".repeat(keys.length),
      );
      // 9, 10
      expect(await onDom0(deployment, `ip -o link show dev ${bridge}`)).not.toContain("NOARP");
      expect(await onDom0(deployment, `ip -4 -o addr show dev ${bridge}`)).toContain(" 192.168.100.1/24 ");
      // 12 to 15, as iptables prints them, ahead of the stock chain.
      const saved = (await onDom0(deployment, "iptables-save"))
        .split("\n")
        .map((line) => line.replace(/ -m comment --comment \S+/, ""))
        .map((line) => parseSavedRule("", line)?.text ?? line.trimEnd());
      expect(saved).toEqual(expect.arrayContaining(rulesOn(bridge)));
      expect(saved.filter((line) => /^-A (FORWARD|INPUT) /.test(line))).toEqual([
        "-A INPUT -j XENNET-INPUT",
        "-A INPUT -j RH-Firewall-1-INPUT",
        "-A FORWARD -j XENNET-FORWARD",
        "-A FORWARD -j RH-Firewall-1-INPUT",
      ]);
    };
    await expectEverything();

    // 12 and 15 with a request: the outside takes the guest for dom0.
    expect(await guestMeets(deployment, guests[0], host.lab.outsideUrl)).toBe("for 192.168.1.10");
    // 13: a neighbour that routes through dom0 reaches every port, the ones that are not forwarded, too.
    const route = ["ip", "route", "add", "192.168.100.0/24", "via", "192.168.1.10"];
    expect(await run([...host.lab.enterLan, ...route])).toMatchObject({ status: 0 });
    expect(await host.lab.clientGet("http://192.168.100.11:8080/")).toMatchObject({ kind: "answered" });
    // The stock firewall lets everybody reach dom0's own page, and nothing else closes it.
    expect(await guestMeets(deployment, guests[0], "http://192.168.100.1/")).toBe("dom0's own page");

    expect(changes(succeeded(await up()))).toEqual([]);

    // 16: the bridge goes with the last VM and comes back (before 6.0 it stays), and a reboot takes everything.
    const hooks = "/etc/cron.d/xennet /etc/init.d/xennet /etc/udev/rules.d/95-xennet.rules";
    expect(await onDom0(deployment, `ls ${hooks}`)).toBe(`${hooks.replaceAll(" ", "\n")}\n`);
    await stopGuests(deployment);
    expect(await onDom0(deployment, "ip -br link show type bridge | cut -d ' ' -f 1")).toBe(
      isOld ? `xenbr0\n${bridge}\n` : "xenbr0\n",
    );
    await pool.start(...guests);
    await expectEverything();
    await host.rebootDom0();
    await pool.start(...guests);
    await expectEverything();
    expect(await guestMeets(deployment, guests[1], host.lab.outsideUrl)).toBe("for 192.168.1.10");

    succeeded(await destroy());
    await stopGuests(deployment);
    const differences = compareHosts(before, await captureHost(host.lab, host.simulator));
    expect(differences.filter((line) => !(isOld && isOfNewVif(line)))).toEqual([]);
    expect(asTheirVmsSeeThem([await vifOf(guests[0]), await vifOf(guests[1])])).toEqual(asTheirVmsSeeThem(vifsBefore));
    expect(await whoAnswers(deployment, 80)).toBe("dom0's own page");
    await expectNothingOpen(deployment);
  });
});

/** Steps 12 to 15 of the recipe, and dom0's ports that the stock firewall leaves open, in our chains. */
const rulesOn = (bridge: string) => [
  `-A XENNET-FORWARD -s 192.168.100.0/24 -d 192.168.1.0/24 -i ${bridge} -o xenbr0 -m conntrack --ctstate NEW,RELATED,SNAT,DNAT -j ACCEPT`,
  `-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o ${bridge} -j ACCEPT`,
  "-A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.100.11:80",
  "-A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.100.12:80",
  "-A XENNET-POSTROUTING -s 192.168.100.0/24 -o xenbr0 -j SNAT --to-source 192.168.1.10",
  ...[22, 80, 443].map(
    (port) => `-A XENNET-INPUT -s 192.168.100.0/24 -i ${bridge} -p tcp -m tcp --dport ${port} -j ACCEPT`,
  ),
];
