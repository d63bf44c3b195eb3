import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, backends, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, portForward, put, remove, transact } from "./declarations.ts";
import { chain, hostState, lines, snapshot } from "./host-state.ts";

let box: Box;
afterEach(() => box.close());

const conf = (name: string, key: string) => `/proc/sys/net/ipv4/conf/${name}/${key}`;
const read = async (name: string, key: string) => (await box.sh(`cat ${conf(name, key)}`)).trim();

describe("kernel settings", () => {
  const token = newToken();
  let bare: string;

  beforeEach(async () => {
    box = await makeBox();
    await box.plug();
    await box.sh(`rm /usr/local/sbin/xennet; echo 0 >${conf("xapi1", "send_redirects")}`);
    bare = await hostState(box);
    await box.install();
  });

  const put1 = (settings: readonly string[]) => declare(box, [put(token, hostForwarding(box, token, { settings }))]);

  test("what is declared is set, kept up and shown when missing, and comes back to what it was", async () => {
    await put1(["proxy-arp on", "send-redirects on", "arp-filter on"]);
    expect(await read("xapi1", "proxy_arp")).toBe("1");
    expect(await read("xenbr0", "proxy_arp")).toBe("0");
    for (const name of ["xapi1", "xenbr0"]) {
      expect([await read(name, "send_redirects"), await read(name, "arp_filter")]).toEqual(["1", "1"]);
    }
    await box.sh(`echo 0 >${conf("xapi1", "proxy_arp")}; echo 0 >${conf("xenbr0", "arp_filter")}`);
    expect(lines(await snapshot(box), "missing")).toEqual([`${token} proxy_arp xapi1`, `${token} arp_filter xenbr0`]);
    expect((await box.xennet("apply")).stdout).toBe("changed\n");
    expect(lines(await snapshot(box), "missing")).toEqual([]);

    // One setting goes and another comes, with the same rules: the former value of each is kept apart.
    await put1(["arp-filter off", "send-redirects on"]);
    expect([await read("xapi1", "proxy_arp"), await read("xapi1", "arp_filter")]).toEqual(["0", "0"]);
    await declare(box, [remove(token)]);
    expect(await hostState(box)).toBe(bare);
  });

  test("a link that was set down and a route that was deleted are missing, and come back", async () => {
    await put1([]);
    await box.sh("ip link set xapi1 down");
    expect(lines(await snapshot(box), "missing")).toEqual([`${token} link xapi1`]);
    expect((await box.xennet("apply")).stdout).toBe("changed\n");
    await box.sh("ip route del 192.168.100.0/24");
    expect(lines(await snapshot(box), "missing")).toEqual([`${token} route 192.168.100.0/24`]);
    expect((await box.xennet("apply")).stdout).toBe("changed\n");
    expect(lines(await snapshot(box), "missing")).toEqual([]);
    expect(await box.sh("ip route show dev xapi1")).toMatch(
      /^192\.168\.100\.0\/24 proto kernel scope link src 192\.168\.100\.1 /,
    );
    await declare(box, [remove(token)]);
    expect(await hostState(box)).toBe(bare);
  });

  test("an address that moves within its network leaves nothing behind", async () => {
    await put1([]);
    await declare(box, [put(token, hostForwarding(box, token, { address: "192.168.100.2/24" }))]);
    expect(await box.sh("ip -4 -br addr show dev xapi1")).toMatch(/192\.168\.100\.2\/24\s*$/);
    await declare(box, [remove(token)]);
    expect(await hostState(box)).toBe(bare);
  });

  test("forwarding for the whole host gives every interface its own value back", async () => {
    await box.sh(
      `ip link add other0 type bridge; ip link add routed0 type bridge; echo 1 >${conf("routed0", "forwarding")}`,
    );
    await box.sh("rm /usr/local/sbin/xennet");
    const before = await hostState(box);
    await box.install();
    await put1(["forwarding global"]);
    expect(await box.sh("cat /proc/sys/net/ipv4/ip_forward")).toBe("1\n");
    expect([await read("other0", "forwarding"), await read("default", "forwarding")]).toEqual(["1", "1"]);
    await box.sh("echo 0 >/proc/sys/net/ipv4/ip_forward");
    expect(lines(await snapshot(box), "missing")).toContain(`${token} forwarding all`);
    await box.xennet("apply");
    expect(lines(await snapshot(box), "missing")).toEqual([]);

    await put1([]);
    expect([await read("all", "forwarding"), await read("other0", "forwarding")]).toEqual(["0", "0"]);
    expect([await read("routed0", "forwarding"), await read("xapi1", "forwarding")]).toEqual(["1", "1"]);
    await put1(["forwarding global"]);
    await box.sh("ip link add late0 type bridge");
    await declare(box, [remove(token)]);
    expect(await read("late0", "forwarding")).toBe("0");
    await box.sh("ip link del late0");
    expect(await hostState(box)).toBe(before);
  });

  test("where two declarations differ, the newer one has its way and the host comes to rest", async () => {
    const other = newToken();
    await put1(["arp-filter on"]);
    const second = hostForwarding(box, other, { settings: ["arp-filter off"] });
    await declare(box, [put(other, second)]);
    expect(await read("xenbr0", "arp_filter")).toBe("0");
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
    await declare(box, [remove(other)]);
    expect(await read("xenbr0", "arp_filter")).toBe("1");
  });

  test("without persistence no hook is on the host, and they come and go with the declaration", async () => {
    const hooks = [
      ...["/etc/init.d/xennet", "/etc/udev/rules.d/95-xennet.rules", "/etc/cron.d/xennet"],
      "/etc/rc.d/rc3.d/S09xennet",
    ];
    const files = async () => lines(await snapshot(box), "file");
    await put1(["persistence none"]);
    expect(await files()).toEqual(["/usr/local/sbin/xennet", "/etc/xennet"]);
    expect((await box.xennet("status")).stdout).not.toContain("MISSING");
    await put1([]);
    expect(await files()).toEqual(["/usr/local/sbin/xennet", "/etc/xennet", ...hooks]);
    await put1(["persistence none"]);
    expect(await files()).toEqual(["/usr/local/sbin/xennet", "/etc/xennet"]);
    await declare(box, [remove(token)]);
    expect(await hostState(box)).toBe(bare);
  });

  test.each([
    "setting forwarding all",
    "setting proxy-arp 1",
    "setting persistence auto",
    "setting mtu 9000",
    "claim tcp 90-80",
    "claim tcp 80-90-100",
    "claim tcp 0-90",
    "claim sctp 80",
    "enabled yes",
    "description ",
    "external-interface all",
  ])("a fragment with the line %j is refused", async (line) => {
    const text = hostForwarding(box, token).replace(/^external-interface.*\n/m, (old) =>
      line.startsWith("external") ? "" : old,
    );
    const answer = await transact(box, [put(token, text.replace("end\n", `${line}\nend\n`))]);
    expect(lines(answer.stdout, "outcome")[0]).toMatch(new RegExp(`^${token} error FRAGMENT_INVALID line`));
    await box.sh("rm -f /usr/local/sbin/xennet");
    expect(await hostState(box)).toBe(bare);
  });
});

describe.each(backends())("the mangle table, iptables %s", (backend) => {
  const token = newToken();

  const plain = () => put(token, hostForwarding(box, token));
  const clamped = () => put(token, hostForwarding(box, token, { spec: { clampMss: 1300 } }));
  const countHits = () =>
    box.sh(
      "iptables-save -c -t nat | sed '/XENNET-POSTROUTING -s/s/^[^ ]*/[7:420]/' >/mnt/counted; iptables-restore -c </mnt/counted",
    );
  const hits = () => box.sh("iptables -t nat -L XENNET-POSTROUTING -v -n -x | awk '/SNAT/ { print $1 }'");
  const mangle = async () => (await box.sh("iptables-save -t mangle")).match(/.*XENNET-.*/g) ?? [];

  test("is left when its last rule goes, once that is confirmed, and no other rule is touched", async () => {
    box = await makeBox({ backend });
    await box.plug();
    await declare(box, [plain()]);
    const without = await hostState(box);
    await declare(box, [clamped()]);
    const before = await mangle();
    expect(before).toHaveLength(4);

    const taken = pendingOf(await transact(box, [plain()]));
    expect((await mangle()).map((line) => line.replace(/ (\[.*)?$/, ""))).toEqual([
      ":XENNET-FORWARD -",
      "-A FORWARD -j XENNET-FORWARD",
    ]);
    expect((await box.xennet("apply")).stdout).toBe("");
    await box.xennet(`revert ${taken}`);
    expect(await mangle()).toEqual(before);

    const number = pendingOf(await transact(box, [plain()]));
    await box.sh("iptables -t mangle -A OUTPUT -m comment --comment 'made by hand' -j XENNET-FORWARD");
    await countHits();
    const confirmed = await box.xennet(`confirm ${number}`);
    expect([confirmed.code, confirmed.stderr]).toEqual([0, ""]);
    expect(await mangle()).toEqual([]);
    expect(lines(confirmed.stdout, "live").filter((line) => line.startsWith("mangle"))).toEqual([]);
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await hits()).toBe("7\n");
    expect((await hostState(box)).replace(/.*\/etc\/xennet\/.*\n/g, "")).toBe(
      without.replace(/.*\/etc\/xennet\/.*\n/g, ""),
    );
  });

  test("is left by the next check when the confirmation was cut short", async () => {
    box = await makeBox({ backend });
    await box.plug();
    await declare(box, [clamped()]);
    const number = pendingOf(await transact(box, [plain()]));
    await countHits();
    await box.sh(`echo ${number} >/etc/xennet/confirmed; rm /etc/xennet/pending`);
    expect((await box.xennet("apply")).stdout).toBe("changed\n");
    expect(await mangle()).toEqual([]);
    expect(await hits()).toBe("7\n");
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("is touched only for a rule that wants it, heals, and is given back", async () => {
    box = await makeBox({ backend });
    await box.plug();
    await box.sh("rm /usr/local/sbin/xennet");
    const bare = await hostState(box);
    await box.install();
    await declare(box, [put(token, hostForwarding(box, token))]);
    expect(await box.sh("iptables-save")).not.toContain("*mangle");

    const answer = await declare(box, [put(token, hostForwarding(box, token, { spec: { clampMss: 1300 } }))]);
    expect(answer.stderr).toBe("");
    expect(await chain(box, "mangle", "FORWARD")).toEqual(["-j XENNET-FORWARD"]);
    expect(await chain(box, "mangle", "XENNET-FORWARD")).toHaveLength(2);
    await box.sh("iptables -t mangle -F");
    const text = await snapshot(box);
    const missing = lines(text, "missing").map((line) => line.split(" ").slice(1, 3).join(" "));
    expect(missing.sort()).toEqual(["jump XENNET-FORWARD", "rule mangle", "rule mangle"]);
    expect((await box.xennet("apply")).stdout).toBe("changed\n");
    expect(lines(await snapshot(box), "missing")).toEqual([]);
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });

    await declare(box, [remove(token)]);
    expect(await hostState(box)).toBe(bare);
  });
});

test("status shows a forward's ports and description, and that it is switched off", async () => {
  box = await makeBox();
  const token = newToken();
  const text = portForward(box, token, 8000)
    .replace(
      "claim tcp 8000",
      'claim tcp 8000-8010\nclaim udp 8000-8010\nenabled no\ndescription for the "media" servers; $(reboot)',
    )
    .replace(/^rule .*\n/gm, "");
  await declare(box, [put(token, text)]);
  const { stdout } = await box.xennet("status");
  expect(stdout).toContain("port-forward web: disabled\n");
  expect(stdout).toContain(
    '  description  for the "media" servers; $(reboot)\n  port         tcp 8000-8010\n  port         udp 8000-8010\n',
  );
});

test("the client is named from the SSH session, and what bears on forwarding from the kernel", async () => {
  box = await makeBox();
  const { stdout } = await box.try("SSH_CLIENT='::ffff:192.0.2.7 5555 22' /usr/local/sbin/xennet snapshot");
  expect(lines(stdout, "client")).toEqual(["192.0.2.7"]);
  expect(lines(stdout, "sysctl")).toContain(`net.ipv4.conf.all.send_redirects ${await read("all", "send_redirects")}`);
  const odd = await box.try("SSH_CLIENT='$(reboot) 1 2' /usr/local/sbin/xennet snapshot");
  expect(lines(odd.stdout, "client")).toEqual([]);
});
