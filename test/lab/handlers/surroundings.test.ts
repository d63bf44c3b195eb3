import { expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { unknownValue } from "../../../provider/src/validation/unknown.ts";
import type { Host } from "../host.ts";
import { type Declared, declareForward, declareForwarding, declareGuests, forwardInputs } from "./declared-host.ts";
import { type provider, sharedHost, urnOf } from "./host-under-test.ts";

let host: Host;
let run: ReturnType<typeof provider>;
let network: Declared;
const guest = "Fedora server 1";

sharedHost(async (lab, labRun) => {
  [host, run] = [lab, labRun];
  network = await declareGuests(host, run.process());
});

const inputsOfNat = (given: Props = {}): Props => {
  const owner = urnOf("HostForwarding", "nat");
  return { owner, network: network.id, address: "192.168.100.1/24", ...given };
};

/** The next `up`: check, diff, and the update where there is something to change. */
async function up(handler: Handler, { id, outs }: Declared, given: Props): Promise<{ changed: boolean; outs: Props }> {
  const context = run.process();
  const { inputs, failures } = await handler.check(context, outs, given);
  expect(failures).toEqual([]);
  const { changes } = await handler.diff(context, id, outs, inputs);
  if (!changes) return { changed: false, outs };
  return { changed: true, outs: (await handler.update(context, id, outs, inputs)).outs };
}

test("an address that DHCP gives may change: rules hold for whichever dom0 has, and a later change is seen", async () => {
  const ifcfg = "/etc/sysconfig/network-scripts/ifcfg-xenbr0";
  const nat = await declareForwarding(run.process(), network);
  const web = await declareForward(run.process(), nat, {
    externalPort: 8080,
    target: "192.168.100.12",
    targetPort: 80,
  });
  await host.lab.runInDom0("ip addr add 192.168.1.20/24 dev xenbr0");
  expect((await host.lab.clientGet("http://192.168.1.20:8080/")).kind).toBe("unreachable");

  await host.lab.runInDom0(`mkdir -p ${ifcfg.replace(/\/[^/]*$/, "")}; echo BOOTPROTO=dhcp >${ifcfg}`);
  const leased = await up(hostForwardingHandler, nat, inputsOfNat());
  expect(leased.changed).toBe(true);
  expect((leased.outs["rules"] as string[]).at(-1)).toBe(
    "nat -A XENNET-POSTROUTING -s 192.168.100.0/24 -o xenbr0 -j MASQUERADE",
  );
  const given = forwardInputs("p8080", nat, { externalPort: 8080, target: "192.168.100.12", targetPort: 80 });
  const moved = await up(portForwardHandler, web, given);
  expect(moved.changed).toBe(true);
  expect(await host.lab.clientGet("http://192.168.1.20:8080/")).toMatchObject({ kind: "answered" });
  expect(await host.lab.guestGet(guest, host.lab.outsideUrl)).toMatchObject({ kind: "answered" });
  expect((await up(portForwardHandler, { id: web.id, outs: moved.outs }, given)).changed).toBe(false);

  await host.lab.runInDom0(`rm ${ifcfg}; ip addr del 192.168.1.20/24 dev xenbr0`);
  const again = await up(portForwardHandler, { id: web.id, outs: moved.outs }, given);
  expect(again).toMatchObject({ changed: true });
  await portForwardHandler.delete(run.process(), web.id, again.outs);
  await hostForwardingHandler.delete(run.process(), nat.id, leased.outs);
});

test("guests do not reach other members of the pool in dom0's name, unless that is declared", async () => {
  const [ref = ""] = await host.simulator.admin.call<string[]>("host.get_all");
  // The server outside stands for another member.
  host.simulator.admin.modify("host", ref, { address: "192.168.1.60" });
  const nat = await declareForwarding(run.process(), network);
  expect(nat.outs["rules"]).toContain(
    `filter -A XENNET-FORWARD -s 192.168.100.0/24 -d 192.168.1.60/32 -i ${nat.outs["bridge"]} -o xenbr0 -j REJECT --reject-with icmp-host-prohibited`,
  );
  expect((await host.lab.guestGet(guest, host.lab.outsideUrl)).kind).toBe("unreachable");
  const opened = await up(hostForwardingHandler, nat, inputsOfNat({ outboundToInfrastructure: true }));
  expect(opened.changed).toBe(true);
  expect(await host.lab.guestGet(guest, host.lab.outsideUrl)).toMatchObject({ kind: "answered" });
  host.simulator.admin.modify("host", ref, { address: "192.168.1.10" });
  await hostForwardingHandler.delete(run.process(), nat.id, opened.outs);
});

test("guests do not reach servers that the pool keeps storage on in dom0's name, unless that is declared", async () => {
  const { admin } = host.simulator;
  const [ref = ""] = await admin.call<string[]>("host.get_all");
  const rejected = (address: string, { outs }: Declared) =>
    `filter -A XENNET-FORWARD -s 192.168.100.0/24 -d ${address}/32 -i ${outs["bridge"]} -o xenbr0 -j REJECT --reject-with icmp-host-prohibited`;
  // The server outside stands for the one that serves NFS.
  const nfs = { server: "192.168.1.60", serverpath: "/export" };
  const pbds = [
    await admin.call<string>("PBD.create", { host: ref, SR: "OpaqueRef:nfs", device_config: nfs }),
    await admin.call<string>("PBD.create", {
      ...{ host: ref, SR: "OpaqueRef:iso" },
      device_config: { location: "//filer.example.org/iso", cifspassword: "do not print" },
    }),
    await admin.call<string>("PBD.create", {
      host: ref,
      SR: "OpaqueRef:own",
      device_config: { server: "192.168.1.10" },
    }),
  ];
  const context = run.process();
  const before = host.simulator.countCalls("PBD.get_all_records");
  const nat = await declareForwarding(context, network);
  expect(host.simulator.countCalls("PBD.get_all_records")).toBe(before + 1);
  expect(nat.outs["rules"]).toContain(rejected("192.168.1.60", nat));
  expect(nat.outs["rules"]).not.toContain(rejected("192.168.1.10", nat));
  expect((await host.lab.guestGet(guest, host.lab.outsideUrl)).kind).toBe("unreachable");
  expect(run.warnings.filter((text) => text.includes("storage servers"))).toEqual([
    expect.stringContaining('host name: "filer.example.org"'),
  ]);
  expect(run.warnings.join()).not.toContain("do not print");

  const asked = host.simulator.countCalls("PBD.get_all_records");
  const opened = await up(hostForwardingHandler, nat, inputsOfNat({ outboundToInfrastructure: true }));
  expect(host.simulator.countCalls("PBD.get_all_records")).toBe(asked + 1);
  expect(await host.lab.guestGet(guest, host.lab.outsideUrl)).toMatchObject({ kind: "answered" });
  for (const pbd of pbds) await admin.call("PBD.destroy", pbd);
  await hostForwardingHandler.delete(run.process(), nat.id, opened.outs);
});

test("segments are clamped by themselves only where the way out is narrower", async () => {
  const rulesWith = async (given: Props) => {
    const { inputs } = await hostForwardingHandler.check(run.process(), {}, inputsOfNat(given));
    return (inputs["rules"] as string[]).filter((rule) => rule.startsWith("mangle "));
  };
  expect(await rulesWith({})).toEqual([]);
  // A network that this run makes, or gives another MTU: the pool does not have it yet.
  expect(await rulesWith({ network: unknownValue, networkMtu: 9000 })).toHaveLength(2);
  expect(await rulesWith({ networkMtu: 9000 })).toHaveLength(2);
  expect(await rulesWith({ network: unknownValue, networkMtu: 1500 })).toEqual([]);
  const [outside = ""] = await host.simulator.admin.call<string[]>(
    "network.get_by_name_label",
    "Pool-wide network associated with eth0",
  );
  host.simulator.admin.modify("network", outside, { MTU: 1400 });
  expect(await rulesWith({})).toHaveLength(2);
  expect((await rulesWith({}))[0]).toMatch(/-j TCPMSS --clamp-mss-to-pmtu$/);
  expect(await rulesWith({ clampMss: "off" })).toEqual([]);
  expect((await rulesWith({ clampMss: 1300 }))[1]).toMatch(/-j TCPMSS --set-mss 1300$/);
  host.simulator.admin.modify("network", outside, { MTU: 1500 });
});

test("where dom0 routed before, a preview says what stays open; what ours switched on is none of that", async () => {
  const warned = async (olds: Props = {}) => {
    const known = run.warnings.length;
    expect((await hostForwardingHandler.check(run.process(), olds, inputsOfNat())).failures).toEqual([]);
    return run.warnings.slice(known).filter((text) => text.includes("routes what comes in"));
  };
  const route = (value: 0 | 1) => host.lab.runInDom0(`echo ${value} >/proc/sys/net/ipv4/conf/xenbr0/forwarding`);
  expect(await warned()).toEqual([]);
  await route(1);
  expect(await warned()).toEqual([
    expect.stringMatching(
      /^dom0 routes what comes in by xenbr0 without "nat" of stack shop\/dev as well, so that stays open/,
    ),
  ]);
  await route(0);
  const nat = await declareForwarding(run.process(), network);
  expect(await warned(nat.outs)).toEqual([]);
});

test("a guest that does not answer on the forwarded port is a warning that shows no address, not a failure", async () => {
  const nat = await declareForwarding(run.process(), network);
  const warned = async (given: Props) => {
    const known = run.warnings.length;
    const { id, outs } = await declareForward(run.process(), nat, given);
    await portForwardHandler.delete(run.process(), id, outs);
    return run.warnings.slice(known);
  };
  const silent =
    '"p8080" of stack shop/dev is in force, but the guest does not answer: check its address, default route and firewall, and that its service runs.';
  expect(await warned({ externalPort: 8080, target: "192.168.100.11", targetPort: 80 })).toEqual([]);
  expect(await warned({ externalPort: 8080, target: "192.168.100.11", targetPort: 81 })).toEqual([silent]);
  expect(await warned({ externalPort: 8080, target: "192.168.100.77", targetPort: 80 })).toEqual([silent]);
  expect(await warned({ externalPort: 8080, target: "192.168.100.77", protocol: "udp" })).toEqual([]);
  expect(await warned({ externalPort: 8080, target: "192.168.100.77", enabled: false })).toEqual([]);
  await hostForwardingHandler.delete(run.process(), nat.id, nat.outs);
});
