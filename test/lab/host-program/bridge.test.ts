import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, put } from "./declarations.ts";
import { chain, eventually, lines, snapshot } from "./host-state.ts";

let box: Box;
const token = newToken();

beforeEach(async () => {
  box = await makeBox();
});
afterEach(() => box.close());

const declareForwarding = () => declare(box, [put(token, hostForwarding(box, token))]);
const fragmentState = async () => lines(await snapshot(box), "fragment");
const bridgeLine = async () => lines(await snapshot(box), "bridge");
const addressOf = (bridge: string) => box.sh(`ip -4 -o addr show dev ${bridge}`);

test("rules are there before the bridge is; address and settings follow when it appears", async () => {
  await declareForwarding();
  expect(await box.sh("iptables-save")).toContain("-A XENNET-FORWARD -o xapi1");
  expect(await bridgeLine()).toEqual([`${box.network} xapi1 absent`]);
  expect(lines(await snapshot(box), "missing")).toEqual([]);
  await box.plug();
  expect((await box.xennet("apply")).stdout).toBe("changed\n");
  expect(await addressOf("xapi1")).toContain("inet 192.168.100.1/24 brd 192.168.100.255");
  expect(await bridgeLine()).toEqual([`${box.network} xapi1 present`]);
});

test("a bridge that vanishes and comes back gets its address and settings again", async () => {
  await box.plug();
  await declareForwarding();
  await box.unplug();
  expect(await box.xennet("apply")).toMatchObject({ code: 0 });
  expect((await box.xennet("apply")).stdout).toBe("");
  await box.plug();
  expect((await box.xennet("apply")).stdout).toBe("changed\n");
  expect(await addressOf("xapi1")).toContain("192.168.100.1/24");
  expect(await box.sh("cat /proc/sys/net/ipv4/conf/xapi1/forwarding /proc/sys/net/ipv6/conf/xapi1/disable_ipv6")).toBe(
    "1\n1\n",
  );
});

test("nothing of a run that asked xe goes on after it: systemd would miss the bridge that comes next", async () => {
  await box.plug();
  await declareForwarding();
  await box.unplug();
  // Without those that have ended: their commands read as nothing.
  const processes = () => box.sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c -x sleep || true");
  await eventually("nothing of the declaration goes on", async () => (await processes()) === "1\n");
  const asked = async () => Number(await box.sh("grep -c . /mnt/xe.log"));
  const askedBefore = await asked();
  await box.plug();
  expect((await box.xennet("apply")).stdout).toBe("changed\n");
  expect(await asked()).toBe(askedBefore + 1);
  // What was killed may need a moment; what nobody ends goes on for 5 s.
  await eventually("nothing of it goes on", async () => (await processes()) === "1\n", 2000);
});

test("a bridge that is asked for anew and is not there waits, too", async () => {
  await box.plug();
  await declareForwarding();
  await box.unplug();
  await box.plug("xapi2");
  expect(await box.xennet("apply")).toMatchObject({ code: 0, stderr: "" });
  expect(await bridgeLine()).toEqual([`${box.network} xapi1 absent`]);
  expect(lines(await snapshot(box), "missing")).toEqual([]);
});

test("while nothing happens xapi is not asked again, neither with the bridge nor without it", async () => {
  await box.plug();
  await declareForwarding();
  await box.sh(
    "rm /mnt/xe.log; /usr/local/sbin/xennet apply; ip link del xapi1; /usr/local/sbin/xennet apply; /usr/local/sbin/xennet apply",
  );
  expect(await box.sh("cat /mnt/xe.log 2>/dev/null || true")).toBe("");
});

test("a network whose bridge got another name is followed", async () => {
  await box.plug();
  await declareForwarding();
  await box.unplug();
  await box.sh(`echo '${box.network} xapi7' >/mnt/networks`);
  await box.plug("xapi7");
  await box.xennet("apply");
  expect(await addressOf("xapi7")).toContain("192.168.100.1/24");
  expect(await box.sh("iptables-save")).not.toContain("xapi1");
});

test("a bridge name that another network has taken over gets nothing of ours", async () => {
  await box.plug();
  await declareForwarding();
  await box.unplug();
  await box.sh("echo '00000000-1111-2222-3333-444444444444 xapi1' >/mnt/networks");
  await box.plug();
  await box.xennet("apply");
  expect(await addressOf("xapi1")).toBe("");
  // As any bridge of others it is kept out of the closing of new bridges.
  const left = (match: string) => `${match} -m comment --comment xennet-${token} -j RETURN`;
  const naming = async (name: string) => (await chain(box, "filter", name)).filter((rule) => rule.includes(" xapi1 "));
  expect(await naming("XENNET-FORWARD")).toEqual([left("-i xapi1"), left("-o xapi1")]);
  expect(await naming("XENNET-INPUT")).toEqual([left("-i xapi1")]);
  expect((await box.sh("iptables-save")).match(/xapi1/g)).toHaveLength(3);
  expect(await fragmentState()).toEqual([`${token} waiting`]);
});

test("a network that nobody knows waits, and is served once xapi knows it", async () => {
  await box.sh("echo down >/mnt/xapi");
  await declareForwarding();
  expect(await fragmentState()).toEqual([`${token} waiting`]);
  expect(await bridgeLine()).toEqual([`${box.network} - absent`]);
  expect(await box.xennet("apply")).toMatchObject({ code: 0, stdout: "" });
  await box.plug();
  await box.sh("rm /mnt/xapi");
  expect((await box.xennet("apply")).stdout).toBe("changed\n");
  expect(await fragmentState()).toEqual([`${token} active`]);
});

test("a xapi that hangs holds nobody up for long", async () => {
  await box.sh("echo hangs >/mnt/xapi");
  const begun = Date.now();
  await declareForwarding();
  expect(Date.now() - begun).toBeLessThan(30_000);
  expect(await fragmentState()).toEqual([`${token} waiting`]);
  expect(await box.sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' || true")).not.toContain("sleep 50");
});

test("an internal bridge that is the external interface is refused", async () => {
  await box.sh(`echo '${box.network} xenbr0' >/mnt/networks`);
  await declareForwarding();
  expect(await fragmentState()).toEqual([`${token} waiting`]);
  expect((await box.xennet("status")).stdout).toContain(
    "waiting for an internal bridge (xenbr0 is the external interface)",
  );
  expect(await box.sh("iptables-save")).not.toContain("-i xenbr0");
});

test("a changed external address is followed", async () => {
  await box.plug();
  await declareForwarding();
  await box.sh(
    "ip addr add 10.0.0.2/24 dev xenbr0; ip addr del 10.0.0.1/24 dev xenbr0; ip addr add 10.0.0.2/24 dev xenbr0 2>/dev/null || true",
  );
  expect((await box.xennet("apply")).stdout).toBe("changed\n");
  expect(await box.sh("iptables-save -t nat")).toContain("--to-source 10.0.0.2");
});

test("without an external address the fragment waits", async () => {
  await box.plug();
  await box.sh("ip addr del 10.0.0.1/24 dev xenbr0");
  await declareForwarding();
  expect(await fragmentState()).toEqual([`${token} waiting`]);
  expect(lines(await snapshot(box), "external")).toEqual(["xenbr0 - static"]);
});

test.each([
  ["alone", (network: string) => network],
  ["among others", (network: string) => `aaaaaaaa-1111-2222-3333-444444444444;${network}`],
])("Open vSwitch is asked first: the network's UUID %s", async (_how, uuids) => {
  await box.sh("echo down >/mnt/xapi");
  await openVswitch(
    `xenbr0\nxs-network-uuids=bbbbbbbb-1111-2222-3333-444444444444\n\nxapi4\nxs-network-uuids=${uuids(box.network)}\n`,
  );
  await box.plug("xapi4");
  await declareForwarding();
  expect(await addressOf("xapi4")).toContain("192.168.100.1/24");
});

test("a bridge that Open vSwitch gives to another network is refused, whatever xapi says", async () => {
  await openVswitch("xapi1\nxs-network-uuids=bbbbbbbb-1111-2222-3333-444444444444\n");
  await box.plug();
  await declareForwarding();
  expect(await fragmentState()).toEqual([`${token} waiting`]);
  expect(await addressOf("xapi1")).toBe("");
});

test("what nobody could be asked about is asked again, also when another network got its answer", async () => {
  const second = "bbbbbbbb-1111-2222-3333-444444444444";
  const other = newToken();
  await box.plug();
  await declare(box, [
    put(token, hostForwarding(box, token)),
    put(other, hostForwarding({ network: second }, other, { address: "192.168.200.1/24" })),
  ]);
  await openVswitch(`xapi4\nxs-network-uuids=${second}\n`);
  await box.sh("echo down >/mnt/xapi");
  await box.unplug();
  await box.plug("xapi4");
  await box.plug();
  await box.xennet("apply");
  expect(await addressOf("xapi4")).toContain("192.168.200.1/24");
  expect(await addressOf("xapi1")).toBe("");
  await box.sh("rm /mnt/xapi");
  await box.xennet("apply");
  expect(await addressOf("xapi1")).toContain("192.168.100.1/24");
});

/** What `ovs-vsctl --bare --columns=name,external_ids list bridge` prints. */
async function openVswitch(bridges: string): Promise<void> {
  await box.sh(`mkdir -p /etc/xensource; echo openvswitch >/etc/xensource/network.conf
cat >/mnt/ovs <<'END'
${bridges}END
printf '#!/bin/sh\\ncat /mnt/ovs\\n' >/opt/xensource/bin/ovs-vsctl; chmod 755 /opt/xensource/bin/ovs-vsctl`);
}
