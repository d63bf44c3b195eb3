import { afterAll, beforeAll, expect, test } from "vitest";
import { type Host, startHost } from "./host.ts";
import { captureHost, compareHosts } from "./same-host.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.close());

const capture = () => captureHost(host.lab, host.simulator);
const onDom0 = async (script: string) => {
  expect(await host.lab.runInDom0(script)).toMatchObject({ status: 0, stderr: "" });
};

const CHANGES: ReadonlyArray<{ what: string; make: string; undo: string; seen: RegExp }> = [
  {
    what: "a rule in a table that was absent",
    make: "iptables -t nat -A PREROUTING -p tcp --dport 81 -j DNAT --to 192.168.100.11",
    undo: "iptables -t nat -F",
    seen: /^iptables nat chain PREROUTING was: policy ACCEPT — is: policy ACCEPT\n-A PREROUTING .*--dport 81/,
  },
  {
    what: "a policy",
    make: "iptables -P FORWARD DROP",
    undo: "iptables -P FORWARD ACCEPT",
    seen: /^iptables filter chain FORWARD was: policy ACCEPT/,
  },
  {
    what: "an own chain that stayed",
    make: "iptables -N XENNET-INPUT",
    undo: "iptables -X XENNET-INPUT",
    seen: /^iptables filter chain XENNET-INPUT is new: policy -$/,
  },
  {
    what: "an address",
    make: "ip addr add 192.168.100.1/24 dev xenbr0",
    undo: "ip addr del 192.168.100.1/24 dev xenbr0",
    seen: /^dom0 ip -4 addr was: .*192\.168\.100\.1\/24/s,
  },
  {
    what: "a policy routing rule",
    make: "ip rule add from 10.0.0.0/8 lookup main",
    undo: "ip rule del from 10.0.0.0/8 lookup main",
    seen: /^dom0 ip -4 rule was: .*10\.0\.0\.0\/8/s,
  },
  {
    what: "a link flag",
    make: "ip link set xenbr0 arp off",
    undo: "ip link set xenbr0 arp on",
    seen: /^interface xenbr0: flags was: 0x1003 — is: 0x1083$/,
  },
  {
    what: "a setting of an interface",
    make: "sysctl -qw net.ipv4.conf.xenbr0.forwarding=1",
    undo: "sysctl -qw net.ipv4.conf.xenbr0.forwarding=0",
    seen: /^interface xenbr0: net\.ipv4\.conf\.forwarding was: 0 — is: 1$/,
  },
  {
    what: "a new file",
    make: "echo x > /etc/cron.d/xennet",
    undo: "rm /etc/cron.d/xennet",
    seen: /^file \/etc\/cron\.d\/xennet is new: f 644 0:0$/,
  },
  {
    what: "a file's content",
    make: "cp -p /etc/sysctl.conf /tmp; echo '# x' >> /etc/sysctl.conf",
    undo: "cp -p /tmp/sysctl.conf /etc",
    seen: /^file \/etc\/sysctl\.conf \(content\) was: [0-9a-f]{64} — is: /,
  },
  {
    what: "a mode",
    make: "chmod 700 /var/lib",
    undo: "chmod 755 /var/lib",
    seen: /^file \/var\/lib was: d 755 0:0 — is: d 700 0:0$/,
  },
];

test.each(CHANGES)("$what is a difference, and no more once it is taken back", async ({ make, undo, seen }) => {
  const before = await capture();
  await onDom0(make);
  const found = compareHosts(before, await capture());
  expect(found.filter((difference) => seen.test(difference))).toHaveLength(1);
  await onDom0(undo);
  expect(compareHosts(before, await capture())).toEqual([]);
});

test("a changed field and a new object in XAPI are differences that name them", async () => {
  const { admin } = host.simulator;
  const before = await capture();
  const network = await admin.call<string>("network.create", {
    ...{ name_label: "Internal network", name_description: "", MTU: "1500", other_config: {}, tags: [] },
  });
  expect(compareHosts(before, await capture()).join("\n")).toMatch(
    /^XAPI network \S+ name_label is new: "Internal network"$/m,
  );
  await admin.call("network.destroy", network);
  expect(compareHosts(before, await capture())).toEqual([]);
});

test("a VM that ran on an internal network, now gone, with its forward taken back, leaves the same host", async () => {
  const { admin } = host.simulator;
  const before = await capture();
  const vms = await admin.call<Record<string, { name_label: string; VIFs: string[] }>>("VM.get_all_records");
  const [vm, record] = Object.entries(vms).find(([, { name_label }]) => name_label === "Fedora server 2") ?? [
    "",
    undefined,
  ];
  const vif = record?.VIFs[0] ?? "";
  const external = await admin.call<string>("VIF.get_network", vif);
  const network = await admin.call<string>("network.create", {
    ...{ name_label: "Internal network", name_description: "", MTU: "1500", other_config: {}, tags: [] },
  });
  await admin.call("VIF.move", vif, network);
  await admin.call("VM.start", vm, false, false);
  await onDom0("iptables -t nat -A PREROUTING -j ACCEPT");
  expect(compareHosts(before, await capture())).not.toEqual([]);

  await onDom0("iptables -t nat -F");
  await admin.call("VM.hard_shutdown", vm);
  await admin.call("VIF.move", vif, external);
  await admin.call("network.destroy", network);
  expect(compareHosts(before, await capture())).toEqual([]);
});

test("logs, the run directory and temporary files are no differences", async () => {
  const before = await capture();
  await onDom0("touch /var/log/x /run/x /tmp/x /var/lock/x");
  expect(compareHosts(before, await capture())).toEqual([]);
});

test("a bridge that is there only once is compared neither by flags nor by settings", async () => {
  const before = await capture();
  await onDom0("ip link add name xapi5 type bridge");
  expect(compareHosts(before, await capture())).toEqual([]);
  await onDom0("ip link del xapi5");
});
