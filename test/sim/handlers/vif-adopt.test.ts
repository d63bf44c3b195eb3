import { expect, test } from "vitest";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";
import { checked, deviceZero, made, makeNetwork, startVm, vmKeys, web1 } from "./vif-under-test.ts";

/** The seeded VIF with a setting in every field. */
async function furnished(pool: PoolUnderTest) {
  await startVm(pool);
  const { call } = pool.simulator.admin;
  const { ref } = await deviceZero(pool);
  await call("VIF.set_ipv4_allowed", ref, ["192.168.1.77"]);
  await call("VIF.set_locking_mode", ref, "locked");
  await call("VIF.set_qos_algorithm_type", ref, "ratelimit");
  await call("VIF.set_qos_algorithm_params", ref, { kbps: "50", timeslice_us: "1000" });
  await call("VIF.set_other_config", ref, { theirs: "1", mtu: "1400" });
  // XAPI shows the MTU of the last plug.
  await call("VIF.unplug", ref);
  await call("VIF.plug", ref);
  await call("VIF.configure_ipv4", ref, "Static", "192.168.1.77/24", "192.168.1.50");
  return deviceZero(pool);
}

const everything = {
  lockingMode: "unlocked",
  ipv4Allowed: ["192.168.100.11"],
  rateLimitKBytesPerSecond: 9,
  mtu: 9000,
  ethtool: { tx: "off" },
  otherConfig: { theirs: "2", mine: "1" },
  ipv4: { address: "192.168.100.11/24" },
  plugged: false,
};

test.each([
  ["adopt: true", { adopt: true }],
  ["adopt with its UUID", undefined],
])("%s changes nothing but what is declared, and destroy gives the VIF back as it was", async (_, given) => {
  await using pool = await startPool();
  const before = await furnished(pool);
  const adopt = given ?? { adopt: { uuid: String(before["uuid"]).toUpperCase() } };
  const { id, outs, inputs } = await made(pool, { ...web1, ...adopt, ethtool: { tx: "off" } });
  const now = await deviceZero(pool);
  expect({ ...now, other_config: {} }).toEqual({ ...before, other_config: {} });
  expect(now["other_config"]).toMatchObject({ theirs: "1", mtu: "1400", "ethtool-tx": "off" });
  expect(outs).toMatchObject({ uuid: before["uuid"], device: "0", takenOver: true, drift: [] });
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read).toEqual({ id, props: outs });
  expect(await handler.diff(pool.host, id, read.props, inputs)).toMatchObject({ changes: false, replaces: [] });
  await handler.delete(pool.newProcess(), id, outs);
  expect(await deviceZero(pool)).toEqual(before);
});

test("what a later update declares is remembered too, and what it does not declare any more is given back at once", async () => {
  await using pool = await startPool();
  const before = await furnished(pool);
  const network = await makeNetwork(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, adopt: true, ethtool: { tx: "off" } });
  const more = await checked(pool.newProcess(), { ...web1, adopt: true, network, ...everything });
  expect(await handler.diff(pool.host, id, outs, more)).toMatchObject({ changes: true, replaces: [] });
  const updated = await handler.update(pool.newProcess(), id, outs, more);
  expect(await deviceZero(pool)).toMatchObject({
    ...{ uuid: before["uuid"], locking_mode: "unlocked", ipv4_allowed: ["192.168.100.11"], currently_attached: false },
    ...{ qos_algorithm_params: { kbps: "9" }, ipv4_addresses: ["192.168.100.11/24"] },
    other_config: { theirs: "2", mine: "1", mtu: "9000", "ethtool-tx": "off" },
  });
  const back = await handler.update(pool.newProcess(), id, updated.outs, inputs);
  const { other_config, ...record } = await deviceZero(pool);
  const { other_config: _, ...recordBefore } = before;
  expect(record).toEqual({ ...recordBefore });
  expect(other_config).toMatchObject({ theirs: "1", mtu: "1400", "ethtool-tx": "off" });
  expect(JSON.parse((other_config as Record<string, string>)["xennet:former"] ?? "")).toEqual({
    owner: web1.owner,
    values: {},
    otherConfig: { "ethtool-tx": null },
  });
  await handler.delete(pool.newProcess(), id, back.outs);
  expect(await deviceZero(pool)).toEqual(before);
});

test("taking over gives back everything that was declared, field for field, and leaves no key behind", async () => {
  await using pool = await startPool();
  const before = await furnished(pool);
  const network = await makeNetwork(pool);
  const { id, outs } = await made(pool, { ...web1, network, onDeviceConflict: "takeOver", ...everything });
  expect(await deviceZero(pool)).toMatchObject({ uuid: before["uuid"], MAC: before["MAC"] });
  await handler.delete(pool.newProcess(), id, outs);
  expect(await deviceZero(pool)).toEqual(before);
  expect(await vmKeys(pool)).toEqual([]);
});

test("adopting another VIF replaces, and the first one is given back", async () => {
  await using pool = await startPool();
  const before = await deviceZero(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, adopt: { uuid: before["uuid"] }, mtu: 1400 });
  const news = { ...inputs, adopt: { uuid: "11111111-2222-3333-4444-555555555555" } };
  expect(await handler.diff(pool.host, id, outs, news)).toMatchObject({ replaces: ["adopt"] });
  expect(await handler.diff(pool.host, id, outs, { ...inputs, adopt: true, device: "0" })).toMatchObject({
    replaces: [],
  });
});

test("a VIF that another stack owns is neither adopted nor taken over nor replaced", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const theirs = { ...web1, owner: urnOf("XenVif", "theirs", "prod"), adopt: true, mtu: 1400 };
  await made(pool, theirs);
  const before = await deviceZero(pool);
  const tries = [{ adopt: true }, { onDeviceConflict: "takeOver", network }, { onDeviceConflict: "replace", network }];
  for (const given of tries) {
    const host = pool.newProcess();
    const { inputs, failures } = await handler.check(host, {}, { ...web1, ...given });
    expect(failures.map((failure) => failure.reason).join()).toMatch(/belongs to "theirs" of stack shop\/prod/);
    await expect(handler.create(host, inputs)).rejects.toThrow(/belongs to "theirs"/);
  }
  expect(await deviceZero(pool)).toEqual(before);
});

test.each([
  [
    { adopt: true, device: "3" },
    "adopt",
    /a VIF on device 3 of VM "Fedora server 1", found no such VIF; the VM has: dev/,
  ],
  [{ adopt: { uuid: "11111111-2222-3333-4444-555555555555" } }, "adopt", /found no such VIF/],
  [
    { adopt: true, mac: "02:16:3e:00:00:01" },
    "mac",
    /adopting keeps it. Leave mac out, or set onDeviceConflict: "replace"/,
  ],
  [
    { onDeviceConflict: "takeOver", mac: "02:16:3e:00:00:01" },
    "mac",
    /"takeOver" keeps it. .*"replace" to have another/,
  ],
])("refuses %j, naming %s", async (given, property, reason) => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const { inputs, failures } = await handler.check(pool.host, {}, { ...web1, network, ...given });
  expect(failures.map((failure) => failure.property)).toEqual([property]);
  expect(failures[0]?.reason).toMatch(reason);
  const before = await deviceZero(pool);
  await expect(handler.create(pool.host, inputs)).rejects.toThrow(reason);
  expect(await deviceZero(pool)).toEqual(before);
});

test("a VIF of another VM is refused, naming that VM", async () => {
  await using pool = await startPool();
  const { uuid } = await deviceZero(pool);
  const given = { ...web1, vm: "Fedora server 2", adopt: { uuid } };
  const { failures } = await handler.check(pool.host, {}, given);
  expect(failures[0]?.reason).toMatch(/found that it belongs to "Fedora server 1"; the VM has: device 0/);
});

test("after an alias the VIF is still its own: the old mark counts in check, and the new one is written in place", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network, device: "1" });
  const host = pool.newProcess();
  const renamed = { ...inputs, owner: urnOf("XenVif", "renamed") };
  const { failures } = await handler.check(host, inputs, renamed);
  expect(failures).toEqual([]);
  expect(await handler.diff(host, id, outs, renamed)).toMatchObject({ changes: true, replaces: [] });
  expect((await handler.update(host, id, outs, renamed)).outs).toMatchObject({ uuid: outs["uuid"] });
});

test("a VIF that another resource has taken since is not written to", async () => {
  await using pool = await startPool();
  const { id, outs, inputs } = await made(pool, { ...web1, adopt: true, mtu: 1400 });
  const { ref, other_config } = await deviceZero(pool);
  const marks = { "xennet:owner": urnOf("XenVif", "theirs", "prod"), "xennet:incarnation": "0000000000000000" };
  await pool.simulator.admin.call("VIF.set_other_config", ref, { ...(other_config as object), ...marks });
  const writing = pool.writingCalls();
  const update = handler.update(pool.newProcess(), id, outs, { ...inputs, mtu: 1300 });
  await expect(update).rejects.toMatchObject({ code: "VIF_FOREIGN" });
  await handler.delete(pool.newProcess(), id, outs);
  expect(pool.writtenSince(writing)).toEqual([]);
  expect(pool.warnings.join()).toMatch(/carries other marks/);
});

test("a key named as what every object inherits is observed, and taken off an adopted VIF again", async () => {
  await using pool = await startPool();
  const { ref, other_config: before } = await deviceZero(pool);
  const { id, outs } = await made(pool, { ...web1, adopt: true, otherConfig: { constructor: "x", toString: "y" } });
  const { call } = pool.simulator.admin;
  expect(await call("VIF.get_other_config", ref)).toMatchObject({ constructor: "x", toString: "y" });
  await call("VIF.remove_from_other_config", ref, "constructor");
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read.props["otherConfig"]).toEqual({ toString: "y" });
  await handler.delete(pool.newProcess(), id, read.props);
  expect(await call("VIF.get_other_config", ref)).toEqual(before);
});
