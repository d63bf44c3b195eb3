import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, backends, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, put, remove } from "./declarations.ts";
import { chain, hostState, lines, snapshot } from "./host-state.ts";

let box: Box;
const token = newToken();
const comment = `-m comment --comment xennet-${token}`;

const declareWith = (changes: { settings?: readonly string[] }) =>
  declare(box, [put(token, hostForwarding(box, token, changes))]);
const ipv6 = async (name: string) => (await box.sh(`cat /proc/sys/net/ipv6/conf/${name}/disable_ipv6`)).trim();
const conf = async (name: string, key: string) => (await box.sh(`cat /proc/sys/net/ipv4/conf/${name}/${key}`)).trim();
/** The bridges of others for which dom0 stays open. */
const knownBridges = async () =>
  (await chain(box, "filter", "XENNET-INPUT")).flatMap((rule) => /-i (\S+) .*-j RETURN$/.exec(rule)?.[1] ?? []);
const openedInterfaces = async () =>
  (await chain(box, "filter", "XENNET-FORWARD")).flatMap(
    (rule) => /^-i (\S+) -m state --state INVALID,NEW /.exec(rule)?.[1] ?? [],
  );

afterEach(() => box.close());

describe.each(backends())("bridges that nobody vouches for, iptables %s", (backend) => {
  beforeEach(async () => {
    box = await makeBox({ backend });
    await box.plug();
    await box.plug("xapi3");
  });

  test("dom0 stays open for bridges of others that are there, and for a new one after the next look", async () => {
    await declareWith({});
    expect(await knownBridges()).toEqual(["xapi3"]);
    expect((await chain(box, "filter", "XENNET-INPUT")).at(-1)).toBe(
      `-i xapi+ -m state --state INVALID,NEW,RELATED ${comment} -j DROP`,
    );
    expect(lines(await snapshot(box), "missing")).toEqual([]);
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
    await box.plug("xapi12");
    await box.plug("xenapi");
    expect((await box.xennet("apply")).stdout).toBe("changed\n");
    expect(await knownBridges()).toEqual(["xapi12", "xapi3"]);
    expect((await box.xennet("status")).stdout).toContain("-i xapi12");
  });

  test("the bridge that dom0 is managed through is never closed, whether it is there yet or not", async () => {
    await box.sh(
      "sed -i 's/^MANAGEMENT_INTERFACE=.*/MANAGEMENT_INTERFACE=xapi0/' $(readlink -f /etc/xensource-inventory)",
    );
    await declareWith({});
    expect(await knownBridges()).toContain("xapi0");
  });

  test("our bridge under another name is none of others, also while XAPI cannot be asked", async () => {
    await declareWith({});
    await box.sh("echo down >/mnt/xapi");
    await box.unplug();
    await box.plug("xapi7");
    await box.xennet("apply");
    expect(await knownBridges()).toEqual(["xapi3"]);
    expect((await box.xennet("apply")).stdout).toBe("");
    await box.sh(`rm /mnt/xapi; echo '${box.network} xapi7' >/mnt/networks`);
    await box.xennet("apply");
    expect(await knownBridges()).toEqual(["xapi3"]);
    expect(await box.sh("ip -4 -o addr show dev xapi7")).toContain("192.168.100.1/24");
  });

  test("while XAPI cannot be asked, bridges of others that were there stay open, and so does one with an address of its own", async () => {
    await declareWith({});
    await box.sh("echo down >/mnt/xapi");
    await box.unplug();
    await box.plug("xapi7");
    await box.plug("xapi8");
    await box.sh("ip addr add 10.9.0.1/24 dev xapi8; rm -rf /run/xennet");
    await box.xennet("apply");
    expect(await knownBridges()).toEqual(["xapi3", "xapi8"]);
    // The name that our bridge had comes back while nobody says whose it is.
    await box.plug();
    await box.xennet("apply");
    expect(await knownBridges()).toEqual(["xapi3", "xapi8"]);
  });

  test("a bridge that is renamed stays closed", async () => {
    await declareWith({});
    await box.sh("ip link set xapi1 down; ip link set xapi1 name xapi7; ip link set xapi7 up");
    await box.xennet("apply");
    expect(await knownBridges()).toEqual(["xapi3"]);
  });

  test("after a boot new bridges are closed before XAPI says whose they are", async () => {
    await declareWith({});
    await box.sh("echo down >/mnt/xapi");
    await box.reboot();
    await box.plug("xapi3");
    await box.xennet("apply");
    expect(lines(await snapshot(box), "fragment")).toEqual([`${token} waiting`]);
    expect(await chain(box, "filter", "XENNET-INPUT")).toEqual([
      `-i xapi+ -m state --state INVALID,NEW,RELATED ${comment} -j DROP`,
    ]);
    await box.sh("rm /mnt/xapi");
    await box.xennet("apply");
    expect(await knownBridges()).toEqual(["xapi3"]);
  });

  test("a forwarding that waits for the outside keeps its network closed", async () => {
    await declareWith({ settings: ["rp-filter on"] });
    await box.sh("ip addr del 10.0.0.1/24 dev xenbr0");
    await box.xennet("apply");
    expect(lines(await snapshot(box), "fragment")).toEqual([`${token} waiting`]);
    expect((await chain(box, "filter", "XENNET-INPUT"))[0]).toBe(`-i xapi1 ${comment} -j DROP`);
    expect(await chain(box, "filter", "XENNET-FORWARD")).toEqual([
      `-i xapi1 -o xenbr0 -m state --state INVALID ${comment} -j DROP`,
      `-i xenbr0 -o xapi1 -m state --state INVALID ${comment} -j DROP`,
      `-i xapi1 ${comment} -j DROP`,
      `-o xapi1 ${comment} -j DROP`,
      `-i xenbr0 -o xenbr0 ${comment} -j RETURN`,
      `-i xenbr0 -m conntrack --ctstate DNAT ${comment} -j RETURN`,
      `-i xenbr0 -m state --state INVALID,NEW ${comment} -j DROP`,
      `-i xapi3 ${comment} -j RETURN`,
      `-i xapi+ -m state --state INVALID,NEW,RELATED ${comment} -j DROP`,
      `-o xapi3 ${comment} -j RETURN`,
      `-o xapi+ -m state --state INVALID,NEW,RELATED ${comment} -j DROP`,
    ]);
    expect(await box.sh("ip -4 -o addr show dev xapi1")).toBe("");
    expect([await ipv6("xapi1"), await conf("xapi1", "rp_filter"), await conf("xapi1", "forwarding")]).toEqual([
      "1",
      "1",
      "0",
    ]);
  });
});

describe("where dom0 did not route before", () => {
  beforeEach(async () => {
    box = await makeBox();
    await box.plug();
    await box.sh("ip link add storage0 type bridge; ip link add routed0 type bridge");
    await box.sh("echo 1 >/proc/sys/net/ipv4/conf/routed0/forwarding");
  });

  test("the external interface is named by the rule, before and after forwarding is on, and by none that routed", async () => {
    await declareWith({});
    expect([await openedInterfaces(), await conf("xenbr0", "forwarding")]).toEqual([["xenbr0"], "1"]);
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
    await declare(box, [remove(token)]);
    await box.install();
    await box.sh("echo 1 >/proc/sys/net/ipv4/conf/xenbr0/forwarding");
    await declareWith({});
    expect(await openedInterfaces()).toEqual([]);
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("a tool that switches routing on for the whole host later is not cut off", async () => {
    await declareWith({});
    await box.sh("echo 1 >/proc/sys/net/ipv4/ip_forward");
    await box.xennet("apply");
    expect(await openedInterfaces()).toEqual([]);
  });

  test("forwarding for the whole host closes every interface but ours and those that routed", async () => {
    await declareWith({ settings: ["forwarding global"] });
    const all = await openedInterfaces();
    expect(all).toContain("storage0");
    expect(all).toContain("xenbr0");
    expect(all).not.toContain("routed0");
    expect(all).not.toContain("xapi1");
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
    // Who comes later may be of a tool that found the host routing.
    await box.sh("ip link add late0 type bridge");
    await box.xennet("apply");
    expect(await openedInterfaces()).toEqual(all);
  });
});

describe("IPv6 of interfaces to come", () => {
  let bare: string;
  beforeEach(async () => {
    box = await makeBox();
    await box.plug();
    await box.sh("ip link add there0 type bridge; rm /usr/local/sbin/xennet");
    bare = await hostState(box);
    await box.install();
  });

  test("is off from their first moment, theirs that were there stays, and the last removal gives it back", async () => {
    await declareWith({});
    expect([await ipv6("default"), await ipv6("there0"), await ipv6("xapi1")]).toEqual(["1", "0", "1"]);
    await box.sh("ip link add late0 type bridge");
    expect(await ipv6("late0")).toBe("1");
    await box.sh("echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
    expect(lines(await snapshot(box), "missing")).toEqual([`${token} ipv6 default`]);
    await box.xennet("apply");
    expect(await ipv6("default")).toBe("1");
    await declare(box, [remove(token)]);
    expect(await ipv6("late0")).toBe("0");
    await box.sh("ip link del late0");
    expect(await hostState(box)).toBe(bare);
  });

  test("comes back to interfaces of others at the next look, once, and never to a bridge that may be ours", async () => {
    await declareWith({});
    await box.sh("ip link add late0 type bridge");
    await box.xennet("apply");
    expect([await ipv6("late0"), await ipv6("default")]).toEqual(["0", "1"]);
    expect((await box.xennet("apply")).stdout).toBe("");
    await box.sh("echo 1 >/proc/sys/net/ipv6/conf/late0/disable_ipv6");
    await box.xennet("apply");
    expect(await ipv6("late0")).toBe("1");
    await box.sh("echo down >/mnt/xapi");
    await box.unplug();
    await box.plug("xapi7");
    await box.xennet("apply");
    expect(await ipv6("xapi7")).toBe("1");
    await box.sh(`rm /mnt/xapi; echo '${box.network} xapi7' >/mnt/networks`);
    await box.xennet("apply");
    expect(await ipv6("xapi7")).toBe("1");
    await declare(box, [remove(token)]);
    expect([await ipv6("default"), await ipv6("late0"), await ipv6("xapi7")]).toEqual(["0", "1", "0"]);
  });

  test("comes back to all but our bridge when somebody gives dom0 an address later", async () => {
    await declareWith({});
    await box.unplug();
    await box.plug();
    await box.xennet("apply");
    await box.sh("ip link set there0 up; ip addr add 2001:db8::1/64 dev there0 nodad");
    await box.xennet("apply");
    expect([await ipv6("default"), await ipv6("xapi1")]).toEqual(["0", "1"]);
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("is as it was while xennet off is in force", async () => {
    await declareWith({});
    await box.xennet("off");
    expect([await ipv6("default"), await ipv6("xapi1")]).toEqual(["0", "0"]);
    await box.xennet("on");
    expect([await ipv6("default"), await ipv6("xapi1")]).toEqual(["1", "1"]);
  });

  test.each([
    ["dom0 is managed by it", "echo 'MANAGEMENT_ADDRESS_TYPE=IPv6' >>$(readlink -f /etc/xensource-inventory)"],
    ["the host is set up for it", "mkdir -p /etc/sysconfig; echo NETWORKING_IPV6=yes >>/etc/sysconfig/network"],
    ["an interface has an address of its own", "ip link set there0 up; ip addr add 2001:db8::1/64 dev there0 nodad"],
  ])("is left alone where %s", async (_why, script) => {
    await box.sh(script);
    await declareWith({});
    expect([await ipv6("default"), await ipv6("xapi1")]).toEqual(["0", "1"]);
  });
});

test("what keeps packets out comes before what lets them in, and goes after it", async () => {
  box = await makeBox();
  await box.plug();
  const keys = "ipv6/conf/xapi1/disable_ipv6 ipv4/conf/xapi1/rp_filter ipv4/conf/xapi1/forwarding";
  await box.sh(`tool=$(readlink -f "$(command -v ip)"); cp $tool /mnt/real-ip; cat >/mnt/ip <<'END'
#!/bin/sh
case "$*" in *addr\\ add* | *addr\\ del*)
  { echo "$2"; cd /proc/sys/net; cat ${keys}; iptables-save | grep -c -e '-A XENNET-INPUT -i xapi1 .*-j DROP'; } | tr '\\n' ' ' >>/mnt/order ;;
esac
exec /mnt/real-ip "$@"
END
chmod 755 /mnt/ip; mount --bind /mnt/ip $tool`);
  await declareWith({ settings: ["rp-filter on"] });
  await declare(box, [remove(token)]);
  // IPv6 off, sources checked, nothing routed yet or any more, and the rule that closes dom0.
  expect(await box.sh("cat /mnt/order")).toBe("add 1 1 0 1 del 1 1 0 1 ");
});
