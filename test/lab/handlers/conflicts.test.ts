import { expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { unknownValue } from "../../../provider/src/validation/unknown.ts";
import type { Host } from "../host.ts";
import { run as runCommand } from "../shell.ts";
import { type Declared, declare, declareForward, declareForwarding, forwardInputs } from "./declared-host.ts";
import { type provider, refusals, sharedHost, urnOf } from "./host-under-test.ts";

let host: Host;
let run: ReturnType<typeof provider>;
let network: Declared;
let nat: Declared;

/** A forward that is in force before the tests begin. */
const web = { externalPort: "8000-8010", target: "192.168.100.11" };

sharedHost(async (lab, labRun) => {
  [host, run] = [lab, labRun];
  const context = run.process();
  network = await declare(xenNetworkHandler, context, { owner: urnOf("XenNetwork", "n"), nameLabel: "Internal" });
  nat = await declareForwarding(context, network);
  await declareForward(context, nat, web);
});

/** What a check of a forward says, as a new process; the host must be as it was. */
async function check(name: string, given: Props, stack = "dev"): Promise<string[]> {
  const inputs = forwardInputs(name, nat, { target: "192.168.100.12", ...given }, stack);
  return refusals(host, portForwardHandler, run.process(), inputs);
}

async function withRule(rule: string, work: () => Promise<void>): Promise<void> {
  const insert = await host.lab.runInDom0(`iptables ${rule}`);
  expect(insert).toMatchObject({ status: 0 });
  try {
    await work();
  } finally {
    await host.lab.runInDom0(`iptables ${rule.replace(/ -[AI] /, " -D ")}`);
  }
}

test("another stack's forward is named where a port overlaps, and an older one of this stack is none", async () => {
  expect(await check("other", { externalPort: 8005 }, "prod")).toEqual([
    'externalPort: expected a free port, found tcp port 8005: "p8000-8010" of stack shop/dev holds it on this host. Choose another external port',
  ]);
  expect(await check("other", { externalPort: "8010-8020", protocol: "both" }, "prod")).toEqual([
    expect.stringContaining('found tcp port 8010: "p8000-8010" of stack shop/dev holds it'),
  ]);
  expect(await check("other", { externalPort: 8005, protocol: "udp" }, "prod")).toEqual([]);
  expect(await check("other", { externalPort: 8011 }, "prod")).toEqual([]);
  expect(await check("other", { externalPort: 8005, enabled: false }, "prod")).toEqual([]);
  expect(await check("renamed", { externalPort: 8005 })).toEqual([]);
});

test("after a stack rename, or with another ownerPrefix, the stack's own declarations are none of others", async () => {
  const renamed = {
    forward: forwardInputs("p8000-8010", nat, web, "production"),
    nat: { ...nat.outs, owner: urnOf("HostForwarding", "nat", "production") },
  };
  const context = run.process();
  expect(await refusals(host, portForwardHandler, context, renamed.forward)).toHaveLength(1);
  const olds = { forward: forwardInputs("p8000-8010", nat, web), nat: nat.outs };
  expect((await portForwardHandler.check(run.process(), olds.forward, renamed.forward)).failures).toEqual([]);
  const { owner, network: on, address } = renamed.nat as Props;
  const news = { owner, network: on, address };
  expect((await hostForwardingHandler.check(run.process(), {}, news)).failures).toHaveLength(1);
  expect((await hostForwardingHandler.check(run.process(), olds.nat, news)).failures).toEqual([]);
  expect(
    (await hostForwardingHandler.check(run.process(), olds.nat, { ...news, owner: `site/${owner}` })).failures,
  ).toEqual([]);
});

test("a rule of another tool that takes the port is named, and one for another port or address is none", async () => {
  await withRule(
    "-t nat -A PREROUTING -p tcp -m multiport --dports 25,9000:9010 -j DNAT --to-destination 192.168.100.9",
    async () => {
      expect(await check("other", { externalPort: 9005 })).toEqual([
        "externalPort: expected a free port, found tcp port 9005: a rule of another tool redirects it on this host (nat -A PREROUTING -p tcp -m multiport --dports 25,9000:9010 -j DNAT --to-destination 192.168.100.9). Remove that rule, or choose another external port",
      ]);
      expect(await check("other", { externalPort: 9011 })).toEqual([]);
    },
  );
  await withRule(
    "-t nat -A PREROUTING -d 192.168.1.77 -p tcp --dport 9005 -j DNAT --to-destination 192.168.100.9",
    async () => {
      expect(await check("other", { externalPort: 9005 })).toEqual([]);
    },
  );
});

test("who has a port that is secret is told without any port", async () => {
  const told = async (externalPort: number) => {
    const inputs = forwardInputs("other", nat, { target: "192.168.100.12", externalPort }, "prod");
    return (await portForwardHandler.check(run.process(), {}, inputs)).failures.map(({ ifSecret }) => ifSecret);
  };
  const taken = "expected a free port, found a secret one that is taken: ";
  expect(await told(8005)).toEqual([
    `${taken}"p8000-8010" of stack shop/dev holds it on this host. Choose another external port`,
  ]);
  await withRule("-t nat -A PREROUTING -p tcp --dport 9005 -j REDIRECT --to-ports 3128", async () => {
    expect(await told(9005)).toEqual([
      `${taken}a rule of another tool redirects it on this host. Remove that rule, or choose another external port`,
    ]);
  });
});

test("a forward that is in force already goes on, with a warning that names the newcomer", async () => {
  await withRule("-t nat -A PREROUTING -p tcp --dport 8003 -j REDIRECT --to-ports 3128", async () => {
    const inputs = forwardInputs("p8000-8010", nat, web);
    expect((await portForwardHandler.check(run.process(), {}, inputs)).failures).toEqual([]);
    expect(run.warnings.at(-1)).toBe(
      'The port of "p8000-8010" of stack shop/dev is not its own: a rule of another tool redirects it on this host (nat -A PREROUTING -p tcp -m tcp --dport 8003 -j REDIRECT --to-ports 3128).',
    );
  });
});

test("a program of dom0 that listens is named, unless the forward says that it may lose its port", async () => {
  // The parent ends once the port is taken, and says who holds it.
  const listener = `perl -MIO::Socket::INET -e '
    my $socket = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => 9123, Listen => 1) or die "$!";
    if (my $child = fork) { print $child; exit }
    close STDOUT; close STDERR; sleep 120'`;
  const pid = (await host.lab.runInDom0(listener)).stdout.trim();
  try {
    expect(await check("other", { externalPort: "9100-9200" })).toEqual([
      "externalPort: expected a free port, found tcp port 9100-9200: a program of dom0 listens on 0.0.0.0 port 9123 and is not reached from outside while the port is forwarded. Set allowManagementPort: true if that is what you want, or choose another external port",
    ]);
    expect(await check("other", { externalPort: 9123, allowManagementPort: true })).toEqual([]);
    // A forward that is in force, and is to take the listener's port as well from now on.
    expect(await check("p8000-8010", { externalPort: "8000-9200" })).toEqual([
      expect.stringContaining("a program of dom0 listens on 0.0.0.0 port 9123"),
    ]);
    expect(await check("other", { externalPort: 80 })).toEqual([]);
  } finally {
    await host.lab.runInDom0(`kill ${pid}`);
  }
});

test("an external address that the host does not have is refused, and another one it has is no conflict", async () => {
  const [message] = await check("other", { externalPort: 9300, externalAddress: "192.168.1.99" });
  expect(message).toMatch(/^externalAddress: expected an address of the host \(.*xenbr0 192\.168\.1\.10\/24/);
  await host.lab.runInDom0("ip addr add 192.168.1.99/24 dev xenbr0");
  expect(await check("other", { externalPort: 8005, externalAddress: "192.168.1.99" }, "prod")).toEqual([]);
  await host.lab.runInDom0("ip addr del 192.168.1.99/24 dev xenbr0");
});

test("an external address on another interface than the outside is refused, naming both", async () => {
  // The host program remembers the new bridge before the first comparison, not during it.
  await host.lab.runInDom0("ip link add storage0 type bridge; ip addr add 10.60.0.1/24 dev storage0; xennet apply");
  try {
    const wrong =
      'externalAddress: expected an address of the external interface xenbr0, found "10.60.0.1", which is on storage0. If that is the outside, name it in externalInterface of the HostForwarding';
    const given = { owner: urnOf("HostForwarding", "far"), network: unknownValue, address: "10.50.0.1/24" };
    const ask = (more: Props) => refusals(host, hostForwardingHandler, run.process(), { ...given, ...more });
    expect(await check("other", { externalPort: 9300, externalAddress: "10.60.0.1" })).toEqual([wrong]);
    expect(await ask({ externalAddress: "10.60.0.1" })).toEqual([wrong]);
    expect(await ask({ externalAddress: "10.60.0.1", externalInterface: "storage0" })).toEqual([]);
  } finally {
    await host.lab.runInDom0("ip link del storage0; xennet apply");
  }
});

test("an outside that is the bridge of another internal network, or the loopback, is refused", async () => {
  const given = { owner: urnOf("HostForwarding", "far"), network: unknownValue, address: "10.50.0.1/24" };
  const ask = (externalInterface: string) =>
    refusals(host, hostForwardingHandler, run.process(), { ...given, externalInterface });
  const inside = String(network.outs["bridge"]);
  await host.lab.runInDom0(`ip link add ${inside} type bridge && ip link set ${inside} up && xennet apply`);
  try {
    expect(await ask(inside)).toEqual([
      `externalInterface: expected an interface to the outside, found "${inside}", the bridge of the internal network that "nat" of stack shop/dev forwards for`,
    ]);
    expect((await ask("lo")).join()).toMatch(/^externalInterface: expected an interface of the host that has an IPv4/);
  } finally {
    await host.lab.runInDom0(`ip link del ${inside}; xennet apply`);
  }
});

test("a change of target says that open connections stay, and shows no address, which may be a secret", async () => {
  const inputs = forwardInputs("p8000-8010", nat, { ...web, target: "192.168.100.12" });
  expect((await portForwardHandler.check(run.process(), {}, inputs)).failures).toEqual([]);
  expect(run.warnings.at(-1)).toBe(
    '"p8000-8010" of stack shop/dev changes its target: connections that are open stay with the old one until they end.',
  );
});

test("another stack's forwarding is named, for its network and for its addresses, though its bridge is not there", async () => {
  const context = run.process();
  const other = await declare(xenNetworkHandler, context, {
    owner: urnOf("XenNetwork", "o", "prod"),
    nameLabel: "Other",
  });
  const owner = urnOf("HostForwarding", "nat", "prod");
  const ask = (given: Props) => refusals(host, hostForwardingHandler, run.process(), { owner, ...given });
  expect(await ask({ network: network.id, address: "10.7.0.1/24" })).toEqual([
    'network: expected a network of its own, but "nat" of stack shop/dev forwards for it on this host',
  ]);
  expect(await ask({ network: other.id, address: "192.168.0.1/16" })).toContain(
    'address: expected a network of its own, but "nat" of stack shop/dev has 192.168.100.1/24 on this host, which overlaps 192.168.0.1/16',
  );
  await xenNetworkHandler.delete(context, other.id, other.outs);
});

test("addresses that dom0 reaches through its default route, and would not any more, are refused", async () => {
  const lan = async (...command: string[]) =>
    expect(await runCommand([...host.lab.enterLan, "ip", ...command])).toMatchObject({ status: 0, stderr: "" });
  const ask = async (address: string) => {
    const owner = urnOf("HostForwarding", "far");
    return refusals(host, hostForwardingHandler, run.process(), { owner, network: unknownValue, address });
  };
  const [ref = ""] = await host.simulator.admin.call<string[]>("host.get_all");
  await lan("addr", "add", "10.30.0.5/32", "dev", "lan0");
  await lan("route", "add", "192.168.1.10", "dev", "lan0", "src", "10.30.0.5");
  host.simulator.admin.modify("host", ref, { address: "10.40.0.7" });
  const pbd = await host.simulator.admin.call<string>("PBD.create", {
    ...{ host: ref, SR: "OpaqueRef:nfs", device_config: { server: "10.45.0.9", serverpath: "/vms" } },
  });
  try {
    expect(await ask("10.30.0.1/16")).toEqual([
      'address: expected a network of its own, found "10.30.0.1/16", which holds the address 10.30.0.5, this computer\'s: dom0 could not reach it any more',
    ]);
    expect(await ask("10.45.0.1/24")).toEqual([
      'address: expected a network of its own, found "10.45.0.1/24", which holds the address 10.45.0.9, that of a storage server of the pool: dom0 could not reach it any more',
    ]);
    expect(await ask("10.40.0.1/24")).toEqual([
      'address: expected a network of its own, found "10.40.0.1/24", which holds the address 10.40.0.7, that of a host of the pool: dom0 could not reach it any more',
    ]);
    expect(await ask("10.50.0.1/24")).toEqual([]);
  } finally {
    await host.simulator.admin.call("PBD.destroy", pbd);
    host.simulator.admin.modify("host", ref, { address: "192.168.1.10" });
    await lan("route", "del", "192.168.1.10");
    await lan("addr", "del", "10.30.0.5/32", "dev", "lan0");
  }
});

test("rules of others ahead of ours are shown by a refresh, and are no drift", async () => {
  await withRule("-I FORWARD 1 -s 203.0.113.9 -j DROP", async () => {
    const { props } = await hostForwardingHandler.read(run.process(), nat.id, nat.outs);
    expect(props).toMatchObject({
      shadowedBy: ["filter -A FORWARD -s 203.0.113.9/32 -j DROP"],
      drift: [],
      status: "active",
    });
    expect(props["files"]).toContain("/usr/local/sbin/xennet");
  });
});

test("with bridged packets in iptables the closing rules would cut guests off, so isolation is refused", async () => {
  const set = (value: string) => host.lab.runInDom0(`echo ${value} >/proc/sys/net/bridge/bridge-nf-call-iptables`);
  expect(await set("1")).toMatchObject({ status: 0 });
  try {
    const inputs = { owner: urnOf("HostForwarding", "nat"), network: network.id, address: "192.168.100.1/24" };
    const ask = (given: Props) => refusals(host, hostForwardingHandler, run.process(), { ...inputs, ...given });
    expect(await ask({})).toEqual([
      "isolation: expected guests' own traffic to stay out of iptables, found net.bridge.bridge-nf-call-iptables = 1 on the host: the closing rules would cut guests of one network off from each other. Set it to 0 on dom0 (`sysctl -w net.bridge.bridge-nf-call-iptables=0`), or declare isolation: false",
    ]);
    expect(await ask({ isolation: false })).toEqual([]);
  } finally {
    await set("0");
  }
});

test("a network that was made anew under the declared name is a change of what is declared on it", async () => {
  const context = run.process();
  const given = { owner: urnOf("XenNetwork", "renewed"), nameLabel: "Renewed" };
  const first = await declare(xenNetworkHandler, context, given);
  const far = { owner: urnOf("HostForwarding", "far"), network: "Renewed", address: "10.77.0.1/24" };
  const made = await declare(hostForwardingHandler, context, far);
  const { inputs } = await hostForwardingHandler.check(context, made.outs, far);
  expect(await hostForwardingHandler.diff(context, made.id, made.outs, inputs)).toMatchObject({ changes: false });
  await host.simulator.admin.call(
    "network.destroy",
    await host.simulator.admin.call<string>("network.get_by_uuid", String(first.outs["uuid"])),
  );
  const other = run.process();
  const second = await declare(xenNetworkHandler, other, given);
  const read = await hostForwardingHandler.read(other, made.id, made.outs);
  expect(await hostForwardingHandler.diff(other, made.id, read.props, inputs)).toMatchObject({ changes: true });
  const { outs } = await hostForwardingHandler.update(other, made.id, read.props, inputs);
  expect(outs["networkUuid"]).toBe(second.outs["uuid"]);
  expect(await hostForwardingHandler.diff(other, made.id, outs, inputs)).toMatchObject({ changes: false });
  await hostForwardingHandler.delete(other, made.id, outs);
  await xenNetworkHandler.delete(other, second.id, second.outs);
});
