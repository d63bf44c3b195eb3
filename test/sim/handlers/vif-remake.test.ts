import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { legs } from "../../support/legs.ts";
import { type PoolUnderTest, startPool } from "./pool-under-test.ts";
import { checked, deviceZero, ipv4, made, makeNetwork, startVm, vifOn, vmKeys, web1 } from "./vif-under-test.ts";

const old = () => legs("xenserver-5.6", "xenserver-6.2");
const external = "Pool-wide network associated with eth0";

/** The seeded VIF of a running VM, with settings that somebody made. */
async function theirVif(pool: PoolUnderTest) {
  await startVm(pool);
  const { call } = pool.simulator.admin;
  const { ref } = await deviceZero(pool);
  await call("VIF.set_qos_algorithm_type", ref, "ratelimit");
  await call("VIF.set_qos_algorithm_params", ref, { kbps: "50" });
  await call("VIF.set_other_config", ref, { theirs: "1" });
  return deviceZero(pool);
}

/** The record without what cannot stay on a VIF that is made anew. */
function lasting({ ref: _ref, uuid: _uuid, ...record }: Props): Props {
  return record;
}

test.each(old())(
  "takes a VIF over on %s: preview tells of the new UUID, and destroy gives the rest back",
  async (profile) => {
    await using pool = await startPool({ profile });
    const before = await theirVif(pool);
    const network = await makeNetwork(pool);
    const inputs = await checked(pool.host, { ...web1, network, onDeviceConflict: "takeOver", ipv4 });
    expect(pool.warnings.join("\n")).toMatch(
      /"web1" of stack shop\/dev: XenServer [56]\.[26]\.0 cannot move VIFs \(hosts do since XenServer 7\.1\), so VIF .* is unplugged and made anew on the other network, with the same MAC address and settings, but a new UUID\./,
    );
    expect(pool.warnings.join("\n")).toMatch(/sets no address in guests \(hosts do since XenServer 7\.0\)/);
    const { id, outs } = await handler.create(pool.host, inputs);
    expect(outs).toMatchObject({
      mac: before["MAC"],
      device: "0",
      currentlyAttached: true,
      takenOver: true,
      drift: [],
    });
    expect(outs).toMatchObject({ ipv4SetBy: "guest", guestSetup: { netplan: expect.stringContaining(ipv4.address) } });
    expect(outs["uuid"]).not.toBe(before["uuid"]);
    expect(id).toMatch(new RegExp(`/${outs["uuid"]}$`));
    const taken = await deviceZero(pool);
    expect(taken).toMatchObject({ currently_attached: true, qos_algorithm_params: { kbps: "50" } });
    expect(taken["other_config"]).toMatchObject({ theirs: "1" });
    expect(await vmKeys(pool)).toEqual([]);
    const read = await handler.read(pool.newProcess(), id, outs);
    expect(await handler.diff(pool.newProcess(), id, read.props, inputs)).toMatchObject({ changes: false });

    const told = pool.warnings.length;
    await handler.delete(pool.newProcess(), id, outs);
    expect(pool.warnings.slice(told).join("\n")).toMatch(
      new RegExp(`^XenServer .* cannot move VIFs .* so VIF ${outs["uuid"]} on device 0 .* is unplugged and made anew`),
    );
    expect(lasting(await deviceZero(pool))).toEqual(lasting(before));
    expect(await vmKeys(pool)).toEqual([]);
  },
);

test.each(["lost", "changed"])(
  "a MAC address that XAPI chose is kept, though the VM's seed of it was %s",
  async (how) => {
    await using pool = await startPool({ profile: "xenserver-5.6" });
    const { call } = pool.simulator.admin;
    const { ref: _ref, uuid: _uuid, ...like } = await deviceZero(pool);
    const chosen = await call<string>("VIF.create", { ...like, device: "1", MAC: "" });
    const mac = await call<string>("VIF.get_MAC", chosen);
    const vm = String(like["VM"]);
    await call("VM.remove_from_other_config", vm, "mac_seed");
    if (how === "changed") await call("VM.add_to_other_config", vm, "mac_seed", "4f4dba4a-6a1c-4f1c-8b0a-1d5b8e0a6f2e");
    const given = { ...web1, device: "1", network: await makeNetwork(pool), adopt: true };
    const { id, outs } = await made(pool, given);
    expect(outs).toMatchObject({ mac, device: "1" });
    await handler.delete(pool.newProcess(), id, outs);
    const left = await call<Record<string, Props>>("VIF.get_all_records");
    expect(Object.values(left)).toContainEqual(expect.objectContaining({ VM: vm, device: "1", MAC: mac }));
  },
);

test("a VIF that was plugged, and of which that is not declared, is plugged again", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  const before = await theirVif(pool);
  const { id, outs } = await made(pool, { ...web1, network: await makeNetwork(pool), adopt: true });
  expect(outs).toMatchObject({ currentlyAttached: true, mac: before["MAC"] });
  await handler.delete(pool.newProcess(), id, outs);
  expect(lasting(await deviceZero(pool))).toEqual(lasting(before));
});

test("a change of network after an up keeps the id until the next refresh, which finds the VIF by its mark", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  await startVm(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  const other = await checked(pool.newProcess(), { ...inputs, network: await makeNetwork(pool, "Other network") });
  expect(await handler.diff(pool.newProcess(), id, outs, other)).toMatchObject({ changes: true, replaces: [] });
  const updated = await handler.update(pool.newProcess(), id, outs, other);
  expect(updated.outs).toMatchObject({ mac: outs["mac"], device: "1", currentlyAttached: true, drift: [] });
  expect(updated.outs["uuid"]).not.toBe(outs["uuid"]);
  const read = await handler.read(pool.newProcess(), id, updated.outs);
  expect(read.id).toMatch(new RegExp(`/${updated.outs["uuid"]}$`));
  await handler.delete(pool.newProcess(), id, updated.outs);
  await expect(vifOn(pool, "Fedora server 1", "1")).rejects.toThrow("has no VIF on device 1");
});

test("a guest that does not let go of its VIF keeps it where it is", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  await startVm(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  const before = await vifOn(pool, "Fedora server 1", "1");
  const other = { ...inputs, network: await makeNetwork(pool, "Other network") };
  pool.simulator.faults.fail("VIF.unplug", "DEVICE_DETACH_TIMEOUT", ["VIF", "x"]);
  await expect(handler.update(pool.newProcess(), id, outs, other)).rejects.toMatchObject({ code: "VIF_NOT_UNPLUGGED" });
  expect(await vifOn(pool, "Fedora server 1", "1")).toEqual(before);
  expect(await vmKeys(pool)).toEqual([]);
});

test("a network that XAPI refuses leaves the VIF on the one it was on, plugged", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  await startVm(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  const before = await vifOn(pool, "Fedora server 1", "1");
  const other = { ...inputs, network: await makeNetwork(pool, "Other network") };
  pool.simulator.faults.fail("VIF.create", "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN");
  await expect(handler.update(pool.newProcess(), id, outs, other)).rejects.toThrow(
    /made anew on network "Other network", but it would break the pool's high-availability plan/,
  );
  expect(lasting(await vifOn(pool, "Fedora server 1", "1"))).toEqual(lasting(before));
  expect(await vmKeys(pool)).toEqual([]);
});

test("on a suspended VM, whose image has the VIF, nothing is touched", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  const other = { ...inputs, network: await makeNetwork(pool, "Other network") };
  const vm = await pool.vmNamed("Fedora server 1");
  pool.simulator.admin.modify("VM", vm, { power_state: "Suspended" });
  const before = await vifOn(pool, "Fedora server 1", "1");
  await expect(handler.update(pool.newProcess(), id, outs, other)).rejects.toThrow(/VM_BAD_POWER_STATE.*vm-resume/);
  expect(await vifOn(pool, "Fedora server 1", "1")).toEqual(before);
});

/** A move that was cut after the VIF went. */
async function cutMove(pool: PoolUnderTest) {
  await startVm(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  const other = { ...inputs, network: await makeNetwork(pool, "Other network") };
  pool.simulator.faults.dropConnection("VIF.create");
  await expect(handler.update(pool.newProcess(), id, outs, other)).rejects.toMatchObject({
    code: "XAPI_CONNECTION_LOST",
  });
  await expect(vifOn(pool, "Fedora server 1", "1")).rejects.toThrow("has no VIF");
  return { id, outs, inputs, other };
}

test("a refresh after a cut move says so, and the next up goes on, also back to the former network", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  const { id, outs, inputs } = await cutMove(pool);
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read).toMatchObject({ id, props: { drift: ["on its way to another network"] } });
  const { failures } = await handler.check(pool.newProcess(), {}, inputs);
  expect(failures).toEqual([]);
  expect(await handler.diff(pool.newProcess(), id, read.props, inputs)).toMatchObject({ changes: true, replaces: [] });
  const updated = await handler.update(pool.newProcess(), id, read.props, inputs);
  expect(updated.outs).toMatchObject({ mac: outs["mac"], network: inputs["network"], currentlyAttached: true });
  expect(await vmKeys(pool)).toEqual([]);
});

test("a destroy after a cut move leaves nothing behind", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  const { id, outs } = await cutMove(pool);
  await handler.delete(pool.newProcess(), id, outs);
  await expect(vifOn(pool, "Fedora server 1", "1")).rejects.toThrow("has no VIF");
  expect(await vmKeys(pool)).toEqual([]);
});

test("a cut move to a network that is gone meanwhile, or whose record was edited, names the key to correct", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  const { id, outs, inputs, other } = await cutMove(pool);
  const [key = ""] = await vmKeys(pool);
  const { call } = pool.simulator.admin;
  const [, uuid = ""] = String(other["network"]).split("/");
  await call("network.destroy", await call<string>("network.get_by_uuid", uuid));
  await expect(handler.delete(pool.newProcess(), id, outs)).rejects.toMatchObject({
    code: "FORMER_NETWORK_GONE",
    message: expect.stringContaining(key),
  });
  const vm = await pool.vmNamed("Fedora server 1");
  await call("VM.remove_from_other_config", vm, key);
  await call("VM.add_to_other_config", vm, key, "{}");
  const vmUuid = await call<string>("VM.get_uuid", vm);
  expect(key).toMatch(/^xennet:moved:/);
  const message = `the record of a VIF on its way to another network on VM "Fedora server 1" (${vmUuid}) (other_config:${key}) is unreadable. Correct it, or remove the key: xe vm-param-remove uuid=${vmUuid} param-name=other-config param-key=${key}. If the VIF is gone from the VM already, its MAC address and settings are then lost`;
  await expect(handler.read(pool.newProcess(), id, outs)).rejects.toMatchObject({ code: "FORMER_UNREADABLE", message });
  await expect(handler.update(pool.newProcess(), id, outs, inputs)).rejects.toMatchObject({ message });
  await expect(handler.delete(pool.newProcess(), id, outs)).rejects.toMatchObject({ message });
  const { failures } = await handler.check(pool.newProcess(), {}, inputs);
  expect(failures).toEqual([{ property: "vm", reason: expect.stringContaining(message) }]);
});

test("a record of a cut move that is of nobody, of another device or of no network is not gone by", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  const { id, outs, other } = await cutMove(pool);
  const [key = ""] = await vmKeys(pool);
  const { call } = pool.simulator.admin;
  const vm = await pool.vmNamed("Fedora server 1");
  const left = JSON.parse((await call<Record<string, string>>("VM.get_other_config", vm))[key] ?? "");
  const damages = [
    { otherConfig: {} },
    { otherConfig: { ...left.otherConfig, "xennet:owner": "urn:another" } },
    ...["999", "01", ""].map((device) => ({ device })),
    { values: { ...left.values, network: "" } },
  ];
  const write = async (record: unknown) => {
    await call("VM.remove_from_other_config", vm, key);
    await call("VM.add_to_other_config", vm, key, JSON.stringify(record));
  };
  for (const damage of damages) {
    await write({ ...left, ...damage });
    const refused = { code: "FORMER_UNREADABLE", message: expect.stringContaining(key) };
    await expect(handler.read(pool.newProcess(), id, outs)).rejects.toMatchObject(refused);
    await expect(handler.update(pool.newProcess(), id, outs, other)).rejects.toMatchObject(refused);
  }
  await write(left);
  expect((await handler.update(pool.newProcess(), id, outs, other)).outs).toMatchObject({ device: "1" });
});

test("a cut move whose device has another VIF by now says which, and that ours was moved", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  const { id, outs } = await cutMove(pool);
  const { call } = pool.simulator.admin;
  const { ref: _ref, uuid: _uuid, ...like } = await deviceZero(pool);
  const other = await call<string>("VIF.create", { ...like, device: "1", MAC: "02:00:00:00:00:99" });
  await expect(handler.delete(pool.newProcess(), id, outs)).rejects.toMatchObject({
    code: "REPLACED_DEVICE_TAKEN",
    message: expect.stringMatching(
      new RegExp(
        `^the VIF that was on its way to another network is to be made anew as device 1 .*vif-destroy uuid=${await call<string>("VIF.get_uuid", other)}`,
      ),
    ),
  });
});

test("a takeover that was cut before the state knew of it goes on with the same VIF", async () => {
  await using pool = await startPool({ profile: "xenserver-5.6" });
  const before = await theirVif(pool);
  const inputs = await checked(pool.host, { ...web1, network: await makeNetwork(pool), onDeviceConflict: "takeOver" });
  pool.simulator.faults.dropConnection("VIF.create");
  await expect(handler.create(pool.newProcess(), inputs)).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
  const again = await checked(pool.newProcess(), inputs);
  const { id, outs } = await handler.create(pool.newProcess(), again);
  expect(outs).toMatchObject({ mac: before["MAC"], takenOver: true, currentlyAttached: true });
  await handler.delete(pool.newProcess(), id, outs);
  expect(lasting(await deviceZero(pool))).toEqual(lasting(before));
});

test("a VIF on its network, and a new one, are nothing to tell of", async () => {
  await using pool = await startPool({ profile: "xenserver-6.2" });
  const network = await makeNetwork(pool);
  await checked(pool.host, { ...web1, network, device: "1" });
  expect(pool.warnings).toEqual([]);
  await checked(pool.newProcess(), { ...web1, network: external, onDeviceConflict: "takeOver" });
  expect(pool.warnings).toEqual([]);
});
