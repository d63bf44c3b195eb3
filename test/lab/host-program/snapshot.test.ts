import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, backends, makeBox, program } from "./box.ts";
import { declare, hostForwarding, newToken, portForward, put } from "./declarations.ts";
import { eventually, lines, snapshot, spelled } from "./host-state.ts";

const inOneSpelling = (line: string) => line.replace(/-A .*/, spelled);

describe.each(backends())("snapshot, iptables %s", (backend) => {
  let box: Box;
  const forwarding = newToken();

  afterEach(() => box.close());

  describe("of a bare host", () => {
    beforeEach(async () => {
      box = await makeBox({ backend, firewall: "none" });
      await box.sh("rm /usr/local/sbin/xennet; mount -o remount,ro /etc; mount -o remount,ro /run");
    });

    test("works when piped in, makes no file and loads no table", async () => {
      const { code, stdout, stderr } = await box.try("sh -s snapshot", program());
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout.split("\n").slice(0, 9)).toEqual([
        "xennet-snapshot 1",
        `host ${box.hostUuid}`,
        expect.stringMatching(/^boot [0-9a-f-]{36}$/),
        "program none",
        "format none",
        "off no",
        "confirmed none",
        "pending none",
        "external xenbr0 10.0.0.1/24 static",
      ]);
      expect(lines(stdout, "route")).toEqual(["10.0.0.0/24 xenbr0"]);
      expect(await box.sh("cat /proc/net/ip_tables_names; nft list tables")).toBe("");
    });
  });

  describe("of a host with declarations", () => {
    beforeEach(async () => {
      box = await makeBox({ backend });
      await box.plug();
      await declare(box, [put(forwarding, hostForwarding(box, forwarding))]);
    });

    /** No bridge of others is here. */
    const rulesHere = () =>
      lines(hostForwarding(box, forwarding), "rule").filter((rule) => !rule.includes("@OTHER_BRIDGE@"));

    test("gives fragments back as they were sent, with the serial of their generation", async () => {
      const sent = hostForwarding(box, forwarding);
      const stored = sent.replace(/^token .*\n/m, "$&serial 1\n");
      expect(await snapshot(box)).toContain(`fragment ${forwarding} active\n${stored}`);
    });

    test("shows what is wanted with roles resolved, and what is live", async () => {
      const text = await snapshot(box);
      expect(lines(text, "want")).toHaveLength(rulesHere().length);
      expect(lines(text, "want").join("\n")).not.toContain("@");
      expect(lines(text, "live")).toContain("filter -A FORWARD -j XENNET-FORWARD");
      expect(lines(text, "live").map(inOneSpelling)).toContain(
        `nat -A XENNET-POSTROUTING -s 192.168.100.0/24 -o xenbr0 -m comment --comment xennet-${forwarding} -j SNAT --to-source 10.0.0.1`,
      );
      expect(lines(text, "missing")).toEqual([]);
    });

    test.each([
      [
        "a rule",
        "iptables -D XENNET-INPUT -i xapi1 -m comment --comment xennet-TOKEN -j DROP",
        "rule filter -A XENNET-INPUT -i xapi1 -m comment --comment xennet-TOKEN -j DROP",
      ],
      ["a jump", "iptables -D INPUT -j XENNET-INPUT", "jump XENNET-INPUT"],
      ["the address", "ip addr del 192.168.100.1/24 dev xapi1", "address 192.168.100.1/24"],
      ["forwarding", "echo 0 >/proc/sys/net/ipv4/conf/xenbr0/forwarding", "forwarding xenbr0"],
      ["ARP", "ip link set xapi1 arp off", "arp"],
      ["the ban of IPv6", "echo 0 >/proc/sys/net/ipv6/conf/xapi1/disable_ipv6", "ipv6"],
    ])("names %s that is missing", async (_what, damage, missing) => {
      await box.sh(damage.replace("TOKEN", forwarding));
      expect(lines(await snapshot(box), "missing")).toEqual([`${forwarding} ${missing.replace("TOKEN", forwarding)}`]);
    });

    test("names every rule as missing after the firewall was flushed", async () => {
      await box.sh("iptables -F; iptables -X; iptables -t nat -F; iptables -t nat -X");
      const missing = lines(await snapshot(box), "missing");
      expect(missing.filter((line) => line.includes(" rule "))).toHaveLength(rulesHere().length);
      expect(missing.filter((line) => line.includes(" jump "))).toHaveLength(3);
    });

    test("an IPv4 address on the bridge by another's hand and a rule written otherwise are no damage", async () => {
      const token = newToken();
      const odd = portForward(box, token, 8080).replaceAll("-p tcp -m tcp --dport", "-p tcp --dport");
      await declare(box, [put(token, odd)]);
      await box.sh("ip addr add 192.168.100.2/24 dev xapi1");
      expect(lines(await snapshot(box), "missing")).toEqual([]);
      expect((await box.xennet("apply")).stdout).toBe("");
    });

    test("shows rules of others that stand above ours, in our chains, or translate destinations", async () => {
      await box.sh(
        "iptables -I FORWARD -s 203.0.113.9 -j DROP; iptables -A FORWARD -s 203.0.113.10 -j DROP; iptables -I XENNET-FORWARD -s 203.0.113.11 -j DROP",
      );
      await box.sh(
        "iptables -t nat -A PREROUTING -p tcp --dport 8081 -j DNAT --to 192.168.100.9; iptables -t nat -A POSTROUTING -s 203.0.113.12 -j ACCEPT",
      );
      expect(
        lines(await snapshot(box), "foreign")
          .map(inOneSpelling)
          .sort(),
      ).toEqual([
        "filter -A FORWARD -s 203.0.113.9/32 -j DROP",
        "filter -A XENNET-FORWARD -s 203.0.113.11/32 -j DROP",
        "nat -A PREROUTING -p tcp -m tcp --dport 8081 -j DNAT --to-destination 192.168.100.9",
      ]);
    });

    test("names who listens", async () => {
      const listening = box.try("exec timeout 30 busybox nc -l -p 8765");
      await eventually("the port is named", async () =>
        lines(await snapshot(box), "listen").some((line) => /^tcp (0\.0\.0\.0|::) 8765$/.test(line)),
      );
      await box.sh("busybox nc 10.0.0.1 8765 </dev/null");
      await listening;
    });

    test("changes nothing, not even what is damaged", async () => {
      await box.sh(
        "iptables -F XENNET-FORWARD; find /etc/xennet /run/xennet -exec stat -c '%n %y' '{}' + >/mnt/before",
      );
      await snapshot(box);
      await box.sh("find /etc/xennet /run/xennet -exec stat -c '%n %y' '{}' + | cmp - /mnt/before");
      expect(await box.sh("iptables-save")).not.toContain("-A XENNET-FORWARD");
    });
  });
});

test.each([
  [
    "an ifcfg file",
    "mkdir -p /etc/sysconfig/network-scripts; echo BOOTPROTO=dhcp >/etc/sysconfig/network-scripts/ifcfg-xenbr0",
  ],
  [
    "xcp-networkd's database",
    `mount -t tmpfs tmpfs /var/lib; mkdir /var/lib/xcp; echo '{"interface_config": {"eth0": {"ipv4_conf": ["None4"]}, "xenbr0": {"mac": "", "ipv4_conf": ["DHCP4"], "mtu": 1500}}}' >/var/lib/xcp/networkd.db`,
  ],
  [
    "a lease on the address",
    "ip addr flush dev xenbr0; ip addr add 10.0.0.1/24 dev xenbr0 valid_lft 3600 preferred_lft 3600",
  ],
])("an external address by DHCP is recognised from %s", async (_where, make) => {
  const box = await makeBox();
  try {
    await box.sh(make);
    expect(lines(await snapshot(box), "external")).toEqual(["xenbr0 10.0.0.1/24 dhcp"]);
  } finally {
    await box.close();
  }
});
