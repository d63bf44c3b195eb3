import net from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Lab, startLab } from "./lab.ts";
import { twoGuests } from "./two-guests.ts";

const PATIENCE = { timeout: 20_000 };

let lab: Lab;
beforeEach(async () => {
  lab = await startLab({ cronSpeed: 60 });
});
afterEach(() => lab.close());

const onDom0 = async (script: string) => {
  const { status, stdout, stderr } = await lab.runInDom0(`set -e\n${script}`);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
};

/** A request of dom0's own; bash is enough for it. */
const GET = `bash -c 'exec 3<>/dev/tcp/192.168.100.21/80; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3'`;

/** An init script that writes down what it is asked to do. */
const initScript = (name: string, start: number, stop: number) => `cat > /etc/init.d/${name} <<'END'
#!/bin/sh
# chkconfig: 2345 ${start} ${stop}
echo "${name} $1" >> /var/log/calls
touch /var/lock/subsys/${name}
END
chmod +x /etc/init.d/${name}`;

describe.each(["rebootDom0", "powerCut"] as const)("after %s", (how) => {
  test("dom0's disk is as it was, and what lives in memory is gone", async () => {
    const kept = ["/etc/kept", "/root/kept", "/opt/kept", "/var/lib/kept", "/usr/local/sbin/kept"];
    await onDom0(`touch ${kept.join(" ")} /run/gone /tmp/gone
iptables -t nat -A PREROUTING -j ACCEPT; ip addr add 10.9.9.9/24 dev xenbr0; sysctl -qw net.ipv4.ip_forward=1`);
    const boot = await onDom0("cat /proc/sys/kernel/random/boot_id");
    expect(await onDom0("cat /proc/sys/kernel/random/boot_id")).toBe(boot);

    await lab[how]();
    expect(await onDom0(`ls ${kept.join(" ")}; ls /run/gone /tmp/gone 2>/dev/null || true`)).toBe(
      [...kept]
        .sort()
        .map((path) => `${path}\n`)
        .join(""),
    );
    expect(await onDom0("iptables-save -t nat | grep -c PREROUTING.*ACCEPT$ || true")).toBe("0\n");
    expect(await onDom0("ip -4 -o addr show dev xenbr0 | wc -l; sysctl -n net.ipv4.ip_forward")).toBe("1\n0\n");
    expect(await onDom0("iptables -S FORWARD")).toContain("-A FORWARD -j RH-Firewall-1-INPUT");
    expect(await onDom0("cat /proc/sys/kernel/random/boot_id")).not.toBe(boot);
  });
});

test("boot runs executable init scripts by their start numbers, rc.local last", async () => {
  await onDom0(`${initScript("late", 90, 10)}\n${initScript("early", 9, 91)}\n${initScript("disabled", 5, 95)}
chmod -x /etc/init.d/disabled; echo 'echo rc.local >> /var/log/calls' >> /etc/rc.d/rc.local`);
  await lab.powerCut();
  expect(await onDom0("cat /var/log/calls")).toBe("early start\nlate start\nrc.local\n");
});

test("an orderly reboot stops what runs by its stop numbers, a power cut stops nothing", async () => {
  await onDom0(`${initScript("one", 20, 30)}\n${initScript("two", 21, 12)}`);
  await lab.powerCut();
  await onDom0("rm /var/log/calls");
  await lab.rebootDom0();
  expect(await onDom0("cat /var/log/calls")).toBe("two stop\none stop\none start\ntwo start\n");
});

test("a udev rule for net devices runs when a bridge that matches appears", async () => {
  await onDom0(`cat > /etc/udev/rules.d/95-seen.rules <<'END'
# comment
SUBSYSTEM=="net", ACTION=="add", KERNEL=="xapi*|brother", RUN+="/usr/bin/touch /run/seen-%k /run/name-$name"
SUBSYSTEM=="block", ACTION=="add", RUN+="/usr/bin/touch /run/block"
END`);
  const guests = twoGuests(lab);
  const vifs = await guests.start();
  await expect
    .poll(() => onDom0("ls /run | grep -e ^seen -e ^name -e ^block || true"), PATIENCE)
    .toBe("name-xapi1\nseen-xapi1\n");
  await guests.stop(vifs);
  await onDom0("rm /run/seen-xapi1");
  await guests.start();
  await expect.poll(() => onDom0("ls /run | grep -c ^seen- || true"), PATIENCE).toBe("1\n");
});

test("cron obeys /etc/crontab and /etc/cron.d, a minute a second", async () => {
  await onDom0(`echo '* * * * * root id -u > /run/from-crontab' >> /etc/crontab
echo '* * * * * root echo $PPID > /run/from-cron.d' > /etc/cron.d/job; touch /etc/crontab /etc/cron.d`);
  await expect.poll(() => onDom0("cat /run/from-crontab || true").catch(() => ""), PATIENCE).toBe("0\n");
  await expect.poll(() => lab.runInDom0("test -s /run/from-cron.d").then(({ status }) => status), PATIENCE).toBe(0);
});

test("xe answers a network's bridge and refuses everything else by name", async () => {
  await lab.backplane.networksChanged([{ uuid: "6e0d", bridge: "xapi7" }]);
  expect(await onDom0("xe network-list uuid=6e0d params=bridge --minimal")).toBe("xapi7\n");
  expect(await onDom0("/opt/xensource/bin/xe network-param-get uuid=6e0d param-name=bridge")).toBe("xapi7\n");
  expect(await onDom0("xe network-list uuid=ffff params=bridge --minimal")).toBe("\n");
  expect((await lab.runInDom0("xe network-param-get uuid=ffff param-name=bridge")).status).toBe(1);
  const refused = await lab.runInDom0("xe vm-list");
  expect(refused).toMatchObject({ status: 2, stderr: "xe (lab): 'vm-list' is not supported by this stand-in\n" });
});

test("a guest keeps what its administrator wrote on its disk, over stop and start", async () => {
  await lab.setGuestAddress("vm1", "192.168.100.21/24", "192.168.100.1");
  const guest = { uuid: "1", name: "vm1", domid: 7 };
  const vif = {
    ...{ uuid: "2", guest, device: "0", mac: "00:16:3e:00:00:07", mtu: 1400, bridge: "xapi1", networkUuid: "3" },
    ...{ internal: true, ipv4: undefined },
  };
  for (const domid of [7, 8]) {
    const now = { ...vif, guest: { ...guest, domid } };
    await lab.backplane.startGuest(now.guest);
    await lab.backplane.plugVif(now);
    await onDom0("ip addr add 192.168.100.1/24 dev xapi1");
    expect(await onDom0(GET)).toContain('"vm":"vm1"');
    expect(await onDom0(`cat /sys/class/net/vif${domid}.0/mtu`)).toBe("1400\n");
    await lab.backplane.unplugVif(now);
    await lab.backplane.stopGuest(now.guest);
  }
});

test("dom0 cannot write to the workstation's files", async () => {
  for (const path of ["/marker", "/usr/marker", "/usr/bin/marker", "/home/marker"]) {
    expect((await lab.runInDom0(`touch ${path}`)).stderr).toContain("Read-only file system");
  }
});

test("while dom0 is down, the LAN gets no answer and the workstation no connection that lasts", async () => {
  await lab.powerCut(async () => {
    expect((await lab.clientGet("http://192.168.1.10/")).kind).toBe("unreachable");
    const received: Buffer[] = [];
    const connection = net.connect({ host: lab.ssh.host, port: lab.ssh.port });
    connection.on("data", (data) => received.push(data)).on("error", () => {});
    await new Promise((resolve) => connection.once("close", resolve));
    expect(received).toEqual([]);
  });
});
