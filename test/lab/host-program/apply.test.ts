import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { STOCK_FIREWALL } from "../dom0-files.ts";
import { type Box, backends, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, portForward, put, remove } from "./declarations.ts";
import { chain, countersOf, eventually, hostState, setCounters } from "./host-state.ts";

describe.each(backends())("apply, iptables %s", (backend) => {
  let box: Box;
  const forwarding = newToken();
  const web = newToken();

  beforeEach(async () => {
    box = await makeBox({ backend });
    await box.plug();
    await declare(box, [put(forwarding, hostForwarding(box, forwarding)), put(web, portForward(box, web, 8080))]);
  });
  afterEach(() => box.close());

  test("a second run changes nothing and says nothing", async () => {
    const before = await hostState(box);
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await hostState(box)).toBe(before);
  });

  test("a second run keeps the counters of the rules, a healing one starts them anew", async () => {
    const rule = `-i xapi1 -m comment --comment xennet-${forwarding} -j DROP`;
    await setCounters(box, "XENNET-INPUT", rule, "7 500");
    expect((await box.xennet("apply")).stdout).toBe("");
    expect(await countersOf(box, `-A XENNET-INPUT ${rule}`)).toEqual(["[7:500]"]);
    expect((await box.xennet("status")).stdout).toContain(`       7  filter -A XENNET-INPUT ${rule}`);
    await box.sh("iptables -F XENNET-FORWARD");
    await box.xennet("apply");
    expect(await countersOf(box, `-A XENNET-INPUT ${rule}`)).toEqual(["[0:0]"]);
  });

  test.each([
    ["a flushed chain", "iptables -F XENNET-FORWARD"],
    ["a deleted rule", "iptables -t nat -D XENNET-PREROUTING 1"],
    ["a foreign rule in one of our chains", "iptables -I XENNET-FORWARD -j DROP"],
    ["a lost jump", "iptables -D INPUT -j XENNET-INPUT"],
    ["a lost nat jump", "iptables -t nat -D POSTROUTING -j XENNET-POSTROUTING"],
    ["a firewall that was loaded anew", "iptables-restore </mnt/stock"],
    [
      "a flush of everything",
      "iptables -F; iptables -X; iptables -t nat -F; iptables -t nat -X; iptables-restore </mnt/stock",
    ],
    ["a lost address", "ip addr del 192.168.100.1/24 dev xapi1"],
    ["forwarding that somebody switched off", "echo 0 >/proc/sys/net/ipv4/conf/xenbr0/forwarding"],
    ["ARP that somebody switched off", "ip link set xapi1 arp off"],
    ["IPv6 that somebody switched on", "echo 0 >/proc/sys/net/ipv6/conf/xapi1/disable_ipv6"],
  ])("%s is healed", async (_what, damage) => {
    await box.try("cat >/mnt/stock", STOCK_FIREWALL);
    const before = await hostState(box);
    await box.sh(damage);
    expect(await hostState(box)).not.toBe(before);
    expect((await box.xennet("apply")).stdout).toBe("changed\n");
    expect(await hostState(box)).toBe(before);
  });

  test("rules of others above our jump stay above it, also when the jump has to be made anew", async () => {
    await box.sh("iptables -I FORWARD -s 203.0.113.9 -j DROP");
    await box.sh("iptables -I FORWARD 2 -s 203.0.113.10 -j DROP");
    expect((await box.xennet("apply")).stdout).toBe("");
    await box.sh("iptables -D FORWARD -j XENNET-FORWARD");
    await box.xennet("apply");
    expect(await chain(box, "filter", "FORWARD")).toEqual([
      "-s 203.0.113.9/32 -j DROP",
      "-s 203.0.113.10/32 -j DROP",
      "-j XENNET-FORWARD",
      "-j RH-Firewall-1-INPUT",
    ]);
  });

  test("a jump behind the stock chain's moves in front of it", async () => {
    await box.sh(
      "iptables -D FORWARD -j XENNET-FORWARD; iptables -A FORWARD -j XENNET-FORWARD; iptables -I FORWARD -s 203.0.113.9 -j DROP",
    );
    await box.xennet("apply");
    expect(await chain(box, "filter", "FORWARD")).toEqual([
      "-s 203.0.113.9/32 -j DROP",
      "-j XENNET-FORWARD",
      "-j RH-Firewall-1-INPUT",
    ]);
  });

  test("jumps that another tool's save doubled are reduced to one", async () => {
    await box.sh(
      "iptables -A FORWARD -j XENNET-FORWARD; iptables -I FORWARD -j XENNET-FORWARD; iptables -t nat -A OUTPUT -j XENNET-OUTPUT",
    );
    await box.xennet("apply");
    expect(await chain(box, "filter", "FORWARD")).toEqual(["-j XENNET-FORWARD", "-j RH-Firewall-1-INPUT"]);
    expect(await chain(box, "nat", "OUTPUT")).toEqual(["-j XENNET-OUTPUT"]);
    expect((await box.xennet("apply")).stdout).toBe("");
  });

  test("twelve runs at once leave every rule there once", async () => {
    const before = await hostState(box);
    await box.sh("iptables -F XENNET-FORWARD; ip addr del 192.168.100.1/24 dev xapi1");
    const runs = await Promise.all(Array.from({ length: 12 }, () => box.xennet("apply")));
    expect(runs.map((run) => run.code)).toEqual(Array(12).fill(0));
    expect(runs.filter((run) => run.stdout === "changed\n")).toHaveLength(1);
    expect(await hostState(box)).toBe(before);
  });

  test("a removed fragment takes its rules with it and nothing else", async () => {
    await declare(box, [remove(web)]);
    const saved = await box.sh("iptables-save");
    expect(saved).not.toContain(web);
    expect(saved).toContain(forwarding);
    expect(await box.sh("cat /proc/sys/net/ipv4/conf/xapi1/forwarding")).toBe("1\n");
  });

  test("an address and settings go back to what they were when the last fragment that needs them goes", async () => {
    await declare(box, [remove(forwarding)]);
    expect(await box.sh("ip -4 -o addr show dev xapi1")).toBe("");
    expect(
      await box.sh(
        "cat /proc/sys/net/ipv4/conf/xapi1/forwarding /proc/sys/net/ipv4/conf/xenbr0/forwarding /proc/sys/net/ipv6/conf/xapi1/disable_ipv6",
      ),
    ).toBe("0\n0\n0\n");
  });

  test("a newer fragment's rules stand before an older one's of the same rank", async () => {
    const newer = newToken();
    await declare(box, [put(newer, portForward(box, newer, 8080, "192.168.100.12:80"))]);
    const rules = await chain(box, "nat", "XENNET-PREROUTING");
    expect(rules.map((rule) => /xennet-([0-9a-f]+)/.exec(rule)?.[1])).toEqual([newer, web]);
  });
});

test("what was there before us is not taken away", async () => {
  const box = await makeBox();
  try {
    const token = newToken();
    await box.plug();
    await box.sh("ip addr add 192.168.100.1/24 dev xapi1; echo 1 >/proc/sys/net/ipv4/conf/xenbr0/forwarding");
    await declare(box, [put(token, hostForwarding(box, token))]);
    await declare(box, [remove(token)]);
    expect(await box.sh("ip -4 -o addr show dev xapi1")).toContain("192.168.100.1/24");
    expect(await box.sh("cat /proc/sys/net/ipv4/conf/xenbr0/forwarding /proc/sys/net/ipv4/conf/xapi1/forwarding")).toBe(
      "1\n0\n",
    );
  } finally {
    await box.close();
  }
});

test("without a stock chain the jump goes in front of the rule that catches everything", async () => {
  const box = await makeBox({ firewall: "none" });
  try {
    const token = newToken();
    await box.sh(
      "iptables -A FORWARD -s 203.0.113.9 -j DROP; iptables -A FORWARD -j REJECT; iptables -A INPUT -s 203.0.113.9 -j DROP",
    );
    await declare(box, [put(token, hostForwarding(box, token))]);
    expect(await chain(box, "filter", "FORWARD")).toEqual([
      "-s 203.0.113.9/32 -j DROP",
      "-j XENNET-FORWARD",
      "-j REJECT --reject-with icmp-port-unreachable",
    ]);
    expect(await chain(box, "filter", "INPUT")).toEqual(["-s 203.0.113.9/32 -j DROP", "-j XENNET-INPUT"]);
  } finally {
    await box.close();
  }
});

test("a run waits for the lock, and gives up with 75 when it is held too long", async () => {
  const box = await makeBox();
  try {
    const token = newToken();
    await declare(box, [put(token, hostForwarding(box, token))]);
    const held = box.try("flock /run/xennet/lock sleep 17");
    await eventually("the lock is held", async () => (await box.try("flock -n /run/xennet/lock true")).code !== 0);
    const [apply, snapshot] = await Promise.all([box.xennet("apply"), box.xennet("snapshot")]);
    expect([apply.code, apply.stdout]).toEqual([75, "error BUSY another run of xennet holds the lock\n"]);
    expect(snapshot.code).toBe(75);
    await held;
    expect((await box.xennet("apply")).code).toBe(0);
  } finally {
    await box.close();
  }
});
