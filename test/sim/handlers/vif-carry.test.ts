import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";
import { checked, made, makeNetwork, startVm, vifOn, vmKeys, web1 } from "./vif-under-test.ts";

/** What somebody sets by hand on a VIF of ours: nothing of it is declared. */
async function furnish(pool: PoolUnderTest, device: string): Promise<void> {
  const { call } = pool.simulator.admin;
  const { ref } = await vifOn(pool, "Fedora server 1", device);
  await call("VIF.set_ipv4_allowed", ref, ["192.168.100.11"]);
  await call("VIF.set_ipv6_allowed", ref, ["fd00::11"]);
  await call("VIF.set_locking_mode", ref, "locked");
  await call("VIF.set_qos_algorithm_type", ref, "ratelimit");
  await call("VIF.set_qos_algorithm_params", ref, { kbps: "50" });
  await call("VIF.add_to_other_config", ref, "theirs", "1");
  await call("VIF.configure_ipv4", ref, "Static", "192.168.100.11/24", "192.168.100.1");
  await call("VIF.configure_ipv6", ref, "Static", "fd00::11/64", "fd00::1");
}

/** Pulumi's sentinel for what is not known yet. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const carried = {
  locking_mode: "locked",
  ipv4_allowed: ["192.168.100.11"],
  ipv6_allowed: ["fd00::11"],
  qos_algorithm_type: "ratelimit",
  qos_algorithm_params: { kbps: "50" },
  ipv4_addresses: ["192.168.100.11/24"],
  ipv4_gateway: "192.168.100.1",
  ipv6_configuration_mode: "Static",
  ipv6_addresses: ["fd00::11/64"],
  other_config: { theirs: "1", mine: "1" },
};

async function furnishedVif(pool: PoolUnderTest, more: Props = {}) {
  await startVm(pool);
  const given = { ...web1, network: await makeNetwork(pool), device: "1", otherConfig: { mine: "1" }, ...more };
  const vif = await made(pool, given);
  await furnish(pool, "1");
  return vif;
}

/** What the engine does for a replacement, each time `check` goes first: the second one knows no old inputs. */
async function replace(pool: PoolUnderTest, id: string, outs: Props, olds: Props, given: Props, cut?: () => void) {
  const host = pool.newProcess();
  await handler.check(host, olds, given);
  const { inputs, failures } = await handler.check(host, {}, given);
  expect(failures).toEqual([]);
  await handler.delete(host, id, outs);
  cut?.();
  return handler.create(host, inputs);
}

test.each([
  ["device", { device: "2" }, "Fedora server 1", "2"],
  ["MAC", { mac: "02:16:3e:00:00:09" }, "Fedora server 1", "1"],
])("a replacement for another %s keeps what nobody declared", async (_, change, vmName, device) => {
  await using pool = await startPool();
  const { id, outs, inputs } = await furnishedVif(pool);
  const again = await replace(pool, id, outs, inputs, { ...inputs, ...change });
  expect(again.outs["uuid"]).not.toBe(outs["uuid"]);
  const { other_config, ...record } = await vifOn(pool, vmName, device);
  expect({ ...record, other_config }).toMatchObject({ ...carried, currently_attached: true });
  expect(await vmKeys(pool)).toEqual([]);
});

test("under a network that is replaced, where no check comes before the delete, nothing is lost either", async () => {
  await using pool = await startPool();
  const { id, outs, inputs } = await furnishedVif(pool);
  const host = pool.newProcess();
  const { replaces } = await handler.diff(host, id, outs, { ...inputs, network: unknown });
  expect(replaces).toEqual(["network"]);
  await handler.delete(host, id, outs);
  const { inputs: news } = await handler.check(host, {}, { ...inputs, network: await makeNetwork(pool, "Other") });
  await handler.create(host, news);
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject(carried);
  expect(await vmKeys(pool)).toEqual([]);
});

test("it travels to another VM; a static address only where the guest's tools can set it", async () => {
  await using pool = await startPool();
  const { id, outs, inputs } = await furnishedVif(pool);
  const other = await pool.vmNamed("Fedora server 2");
  pool.simulator.admin.modify("VM", other, { guest_metrics: "OpaqueRef:NULL" });
  await replace(pool, id, outs, inputs, { ...inputs, vm: "Fedora server 2" });
  const { ipv4_addresses: _4, ipv4_gateway: _g, ipv6_configuration_mode: _m, ipv6_addresses: _6, ...rest } = carried;
  expect(await vifOn(pool, "Fedora server 2", "1")).toMatchObject({ ...rest, ipv4_addresses: [] });
  expect(pool.warnings.join()).toMatch(/address setting of the replaced VIF was not carried over to VIF .*guest tools/);
  expect(await vmKeys(pool)).toEqual([]);
});

test("what was declared and is not any more is not carried over", async () => {
  await using pool = await startPool();
  await startVm(pool);
  const given = { ...web1, network: await makeNetwork(pool), device: "1", lockingMode: "disabled", mtu: 1400 };
  const { id, outs, inputs } = await made(pool, given);
  const { lockingMode: _l, mtu: _m, ...less } = inputs;
  await replace(pool, id, outs, inputs, { ...less, device: "2" });
  const record = await vifOn(pool, "Fedora server 1", "2");
  expect(record).toMatchObject({ locking_mode: "network_default" });
  expect(record["other_config"]).not.toHaveProperty("mtu");
});

test("what the new declaration says goes before what was carried over", async () => {
  await using pool = await startPool();
  const { id, outs, inputs } = await furnishedVif(pool);
  const news = { ...inputs, device: "2", lockingMode: "unlocked", otherConfig: { theirs: "mine now" } };
  await replace(pool, id, outs, inputs, news);
  expect(await vifOn(pool, "Fedora server 1", "2")).toMatchObject({
    locking_mode: "unlocked",
    ipv4_allowed: ["192.168.100.11"],
    other_config: { theirs: "mine now" },
  });
});

test("a run that is killed between delete and create leaves the record, and the next up uses it, renamed or not", async () => {
  await using pool = await startPool();
  const { id, outs, inputs } = await furnishedVif(pool);
  const renamed = { ...inputs, owner: urnOf("XenVif", "renamed"), device: "2" };
  pool.simulator.faults.dropConnection("VIF.create");
  await expect(replace(pool, id, outs, inputs, renamed)).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
  expect(await vmKeys(pool)).toHaveLength(1);
  await handler.create(pool.newProcess(), await checked(pool.newProcess(), renamed));
  expect(await vifOn(pool, "Fedora server 1", "2")).toMatchObject(carried);
  expect(await vmKeys(pool)).toEqual([]);
});

test.each(["VIF.configure_ipv4", "VIF.configure_ipv6", "VIF.plug", "VM.remove_from_other_config"])(
  "a create that is cut at %s is ended by the next update, with everything carried over",
  async (method) => {
    await using pool = await startPool();
    const { id, outs, inputs } = await furnishedVif(pool);
    const news = { ...inputs, device: "2" };
    const cut = () => pool.simulator.faults.dropConnection(method);
    const failure = await replace(pool, id, outs, inputs, news, cut).catch((error: unknown) => error as Props);
    const { id: newId, properties } = failure as { id: string; properties: Props };
    expect(properties).toMatchObject(news);
    const inputsNow = await checked(pool.newProcess(), news);
    expect(await handler.diff(pool.newProcess(), newId, properties, inputsNow)).toMatchObject({ replaces: [] });
    await handler.update(pool.newProcess(), newId, properties, inputsNow);
    expect(await vifOn(pool, "Fedora server 1", "2")).toMatchObject({ ...carried, currently_attached: true });
    expect(await vmKeys(pool)).toEqual([]);
  },
);

test("a plain destroy leaves nothing behind, not even what an interrupted replacement had left", async () => {
  await using pool = await startPool();
  const { id, outs, inputs } = await furnishedVif(pool);
  pool.simulator.faults.dropConnection("VIF.destroy");
  await expect(replace(pool, id, outs, inputs, { ...inputs, device: "2" })).rejects.toThrow();
  expect(await vmKeys(pool)).toHaveLength(1);
  await handler.delete(pool.newProcess(), id, outs);
  expect(await vmKeys(pool)).toEqual([]);
});

test("a replacement that was given up leaves a record of the VIF that stayed: the next update removes it unused", async () => {
  await using pool = await startPool();
  const { id, outs, inputs } = await furnishedVif(pool);
  pool.simulator.faults.dropConnection("VIF.destroy");
  await expect(replace(pool, id, outs, inputs, { ...inputs, device: "2" })).rejects.toThrow();
  const { ref } = await vifOn(pool, "Fedora server 1", "1");
  await pool.simulator.admin.call("VIF.set_locking_mode", ref, "disabled");
  const read = await handler.read(pool.newProcess(), id, outs);
  await handler.update(pool.newProcess(), id, read.props, inputs);
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject({ locking_mode: "disabled" });
  expect(await vmKeys(pool)).toEqual([]);
});

test("a VIF with nothing undeclared is replaced without a record; a taken-over one is given back", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const plain = await made(pool, { ...web1, network, device: "1" });
  const first = pool.writingCalls();
  await replace(pool, plain.id, plain.outs, plain.inputs, { ...plain.inputs, device: "2" });
  expect(pool.writtenSince(first)).toEqual(["VIF.destroy", "VIF.create"]);
  const owner = urnOf("XenVif", "taken");
  const taken = await made(pool, { ...web1, owner, network, device: "0", onDeviceConflict: "takeOver" });
  await handler.delete(pool.host, taken.id, taken.outs);
  expect(await vmKeys(pool)).toEqual([]);
});

/** A replacement that was cut before its create, and the record it left on the VM changed by hand. */
async function editedRecord(pool: PoolUnderTest, edit: (record: Props) => unknown): Promise<Props> {
  const { id, outs, inputs } = await furnishedVif(pool);
  const news = { ...inputs, device: "2" };
  pool.simulator.faults.dropConnection("VIF.create");
  await expect(replace(pool, id, outs, inputs, news)).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
  const { call } = pool.simulator.admin;
  const vm = await pool.vmNamed("Fedora server 1");
  const keys = await call<Record<string, string>>("VM.get_other_config", vm);
  const [key = ""] = await vmKeys(pool);
  const text = JSON.stringify(edit(JSON.parse(keys[key] ?? "")));
  await call("VM.remove_from_other_config", vm, key);
  await call("VM.add_to_other_config", vm, key, text);
  return news;
}

test.each<readonly [string, (record: Props) => unknown]>([
  ["locking mode", (record) => ({ ...record, values: { locking_mode: 5 } })],
  ["list of addresses", (record) => ({ ...record, values: { ipv4_allowed: "192.168.100.11" } })],
  ["map of rates", (record) => ({ ...record, values: { qos_algorithm_params: null } })],
  ["key", (record) => ({ ...record, otherConfig: { theirs: {} } })],
  ["part at all", () => null],
])("a record without a proper %s is not carried over, with a warning, and stops no up", async (_, edit) => {
  await using pool = await startPool();
  const news = await editedRecord(pool, edit);
  await handler.create(pool.newProcess(), await checked(pool.newProcess(), news));
  expect(await vifOn(pool, "Fedora server 1", "2")).toMatchObject({
    locking_mode: "network_default",
    ipv4_allowed: [],
  });
  expect(pool.warnings.join()).toMatch(/xennet:carry:[0-9a-f]+\) are unreadable; they were not carried over/);
  expect(await vmKeys(pool)).toEqual([]);
});

test("keys of ours that somebody put into the record do not reach the new VIF", async () => {
  await using pool = await startPool();
  const edit = (record: Props) => ({
    ...record,
    otherConfig: { theirs: "1", "xennet:former": "{", "xennet:replaced": "{" },
  });
  const news = await editedRecord(pool, edit);
  await handler.create(pool.newProcess(), await checked(pool.newProcess(), news));
  const { other_config } = await vifOn(pool, "Fedora server 1", "2");
  expect(Object.keys(other_config as object).sort()).toEqual(["mine", "theirs", "xennet:incarnation", "xennet:owner"]);
});
