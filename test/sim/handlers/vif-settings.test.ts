import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { startPool } from "./pool-under-test.ts";
import { checked, made, makeNetwork, startVm, vifOn, web1 } from "./vif-under-test.ts";

const everything = {
  lockingMode: "locked",
  ipv4Allowed: ["192.168.100.11", "192.168.100.12"],
  ipv6Allowed: ["fd00::11"],
  rateLimitKBytesPerSecond: 2000,
  mtu: 9000,
  ethtool: { tx: "off", gso: "on" },
  otherConfig: { mine: "1" },
};
const asRecord = {
  locking_mode: "locked",
  ipv4_allowed: ["192.168.100.11", "192.168.100.12"],
  ipv6_allowed: ["fd00::11"],
  qos_algorithm_type: "ratelimit",
  qos_algorithm_params: { kbps: "2000" },
  other_config: { mtu: "9000", "ethtool-tx": "off", "ethtool-gso": "on", mine: "1" },
};
const asNew = {
  locking_mode: "network_default",
  ipv4_allowed: [],
  ipv6_allowed: [],
  qos_algorithm_type: "",
  qos_algorithm_params: {},
};

test("makes a VIF with all its settings in one call", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const writing = pool.writingCalls();
  const { outs } = await made(pool, { ...web1, network, device: "1", ...everything });
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject({ ...asRecord, uuid: outs["uuid"] });
  expect(pool.writtenSince(writing)).toEqual(["VIF.create"]);
});

test("sets all of them in place later, and takes back in place what is not declared any more", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network, device: "1" });
  const { ref } = await vifOn(pool, "Fedora server 1", "1");
  await pool.simulator.admin.call("VIF.add_to_other_config", ref, "theirs", "stays");
  const more = await checked(pool.newProcess(), { ...inputs, ...everything });
  expect(await handler.diff(pool.host, id, outs, more)).toMatchObject({ changes: true, replaces: [] });
  const updated = await handler.update(pool.newProcess(), id, outs, more);
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject({ ...asRecord, uuid: outs["uuid"] });
  expect(updated.outs).toMatchObject({ ...everything, drift: [] });

  const back = await handler.update(pool.newProcess(), id, updated.outs, inputs);
  const record = await vifOn(pool, "Fedora server 1", "1");
  expect(record).toMatchObject({ ...asNew, uuid: outs["uuid"], ref });
  expect(Object.keys(record["other_config"] as object).sort()).toEqual([
    "theirs",
    "xennet:incarnation",
    "xennet:owner",
  ]);
  expect(back.outs).toEqual(outs);
});

test("a setting that nobody declared stays as somebody set it by hand", async () => {
  await using pool = await startPool();
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  const { ref } = await vifOn(pool, "Fedora server 1", "1");
  await pool.simulator.admin.call("VIF.set_locking_mode", ref, "disabled");
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read).toEqual({ id, props: outs });
  await handler.update(pool.newProcess(), id, outs, { ...inputs, otherConfig: { mine: "1" } });
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject({ locking_mode: "disabled" });
});

test.each([
  [{ lockingMode: "locked" }, "VIF.set_locking_mode", ["unlocked"], { lockingMode: "unlocked" }],
  [{ ipv4Allowed: ["10.0.0.1"] }, "VIF.set_ipv4_allowed", [["10.0.0.2"]], { ipv4Allowed: ["10.0.0.2"] }],
  [{ mtu: 1400 }, "VIF.set_other_config", [{ mtu: "1300" }], { mtu: 1300 }],
  [{ ethtool: { tx: "off" } }, "VIF.remove_from_other_config", ["ethtool-tx"], { ethtool: {} }],
  [{ rateLimitKBytesPerSecond: 100 }, "VIF.set_qos_algorithm_params", [{ kbps: "7" }], { rateLimitKBytesPerSecond: 7 }],
])("%j changed by hand shows at the next refresh, and up takes it back", async (given, call, args, found) => {
  await using pool = await startPool();
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1", ...given });
  const before = await vifOn(pool, "Fedora server 1", "1");
  await pool.simulator.admin.call(call, before.ref, ...(args as never[]));
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read.inputs).toMatchObject(found);
  expect(await handler.diff(pool.host, id, read.props, inputs)).toMatchObject({ changes: true, replaces: [] });
  const updated = await handler.update(pool.newProcess(), id, read.props, inputs);
  expect(await vifOn(pool, "Fedora server 1", "1")).toEqual(before);
  expect(updated.outs).toEqual(outs);
});

test("allowed addresses never switch the locking mode; that they have no effect is a warning", async () => {
  await using pool = await startPool();
  const given = { ...web1, network: await makeNetwork(pool), device: "1", ipv4Allowed: ["192.168.100.11"] };
  await made(pool, given);
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject({ locking_mode: "network_default" });
  expect(pool.warnings.join()).toMatch(/no effect while the locking mode is "network_default"/);
  pool.warnings.length = 0;
  await checked(pool.newProcess(), { ...given, lockingMode: "locked" });
  expect(pool.warnings).toEqual([]);
});

test("an order of allowed addresses other than XAPI's is no difference", async () => {
  await using pool = await startPool();
  const ipv4Allowed = ["192.168.100.12", "192.168.100.11"];
  const given = { ...web1, network: await makeNetwork(pool), device: "1", lockingMode: "locked", ipv4Allowed };
  const { id, outs, inputs } = await made(pool, given);
  const turned = { ...inputs, ipv4Allowed: [...ipv4Allowed].reverse() };
  expect(await handler.diff(pool.host, id, outs, turned)).toMatchObject({ changes: false });
});

test("what the host looks at when it plugs is a warning on a plugged VIF", async () => {
  await using pool = await startPool();
  await startVm(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  const more = { mtu: 1400, rateLimitKBytesPerSecond: 10, ethtool: { tx: "off" } };
  await handler.update(pool.newProcess(), id, outs, { ...inputs, ...more });
  expect(pool.warnings.join()).toMatch(
    /^Device 1 of VM "Fedora server 1": mtu, rateLimitKBytesPerSecond, ethtool changed on a plugged VIF and takes effect when it is plugged the next time/,
  );
});

test("an update with nothing to do writes nothing", async () => {
  await using pool = await startPool();
  await startVm(pool);
  const given = { ...web1, network: await makeNetwork(pool), device: "1", ...everything };
  const { id, outs, inputs } = await made(pool, given);
  const writing = pool.writingCalls();
  expect((await handler.update(pool.newProcess(), id, outs, inputs)).outs).toEqual(outs);
  expect(pool.writtenSince(writing)).toEqual([]);
});

test.each<[Props, string, RegExp]>([
  [{ mtu: 67 }, "mtu", /an integer from 68 to 65535, found 67/],
  [{ lockingMode: "open" }, "lockingMode", /"network_default", "locked", "unlocked" or "disabled", found "open"/],
  [{ ipv4Allowed: ["10.0.0.1", "10.0.0"] }, "ipv4Allowed[1]", /an IPv4 address such as .*, found "10.0.0"/],
  [{ ipv4Allowed: ["10.0.0.1/33"] }, "ipv4Allowed[0]", /an IPv4 address/],
  [{ ipv6Allowed: ["fd00::1", "10.0.0.1"] }, "ipv6Allowed[1]", /an IPv6 address/],
  [{ ipv6Allowed: "fd00::1" }, "ipv6Allowed", /a list of addresses/],
  [{ rateLimitKBytesPerSecond: 0 }, "rateLimitKBytesPerSecond", /kilobytes per second, an integer from 1/],
  [{ ethtool: { lro: "off" } }, "ethtool.lro", /expected one of rx, tx, sg, tso, ufo, gso, found "lro"/],
  [{ ethtool: { tx: "false" } }, "ethtool.tx", /"on" or "off", found "false"/],
  [{ otherConfig: { mtu: "9000" } }, 'otherConfig["mtu"]', /has a property of its own: mtu/],
  [{ otherConfig: { "ethtool-tx": "off" } }, 'otherConfig["ethtool-tx"]', /has a property of its own: ethtool/],
  [{ otherConfig: { "xennet:owner": "me" } }, 'otherConfig["xennet:owner"]', /set by this provider itself/],
  [{ plugged: "yes" }, "plugged", /true or false/],
  [{ adopt: false }, "adopt", /expected true, or an object such as/],
  [{ adopt: { uuid: "1" } }, "adopt.uuid", /the UUID of a VIF, found "1"/],
  [{ adopt: true, onDeviceConflict: "takeOver" }, "onDeviceConflict", /expected adopt or onDeviceConflict, found both/],
  [
    { lockingMode: "locked", ipv4Allowed: ["10.0.0.0/28"], ipv4: { address: "10.0.0.77/24" } },
    "ipv4.address",
    /ipv4Allowed has, as lockingMode is "locked"/,
  ],
  [{ device: "16" }, "device", /the host allows 16 VIFs a VM, found "16". Free devices of "Fedora server 1": 1, 2, 3/],
])("refuses %j, naming %s", async (wrong, property, reason) => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const { failures } = await handler.check(pool.host, {}, { ...web1, network, device: "1", ...wrong });
  expect(failures.map((failure) => failure.property)).toEqual([property]);
  expect(failures[0]?.reason).toMatch(reason);
});

test("a device that a newer host has is refused by XCP-ng 8.2, which says how many it allows and which are free", async () => {
  await using pool = await startPool({ profile: "xcp-ng-8.2" });
  const network = await makeNetwork(pool);
  const { failures } = await handler.check(pool.host, {}, { ...web1, network, device: "7" });
  expect(failures[0]?.reason).toBe(
    'expected a device below 7, as the host allows 7 VIFs a VM, found "7". Free devices of "Fedora server 1": 1, 2, 3, 4, 5, 6',
  );
});

test("a MAC address that is used on the network already is a warning naming who has it", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const mac = "02:16:3e:00:00:01";
  await made(pool, { ...web1, network, device: "1", mac });
  const other = { owner: `${web1.owner}b`, vm: "Fedora server 2", network, device: "1", mac: mac.toUpperCase() };
  await checked(pool.newProcess(), other);
  expect(pool.warnings.join()).toMatch(/is used on network "Internal network" by device 1 of VM "Fedora server 1" too/);
  pool.warnings.length = 0;
  const host = pool.newProcess();
  await checked(host, { ...web1, network, device: "2", mac: "02:16:3e:00:00:02" });
  await checked(host, { ...other, device: "2", mac: "02:16:3e:00:00:02" });
  expect(pool.warnings.join()).toMatch(/by "web1" of stack shop\/dev too/);
});
