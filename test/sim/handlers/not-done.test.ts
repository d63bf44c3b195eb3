import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";
import { deviceZero, made, makeNetwork, startVm, vifOn, vmKeys, web1 } from "./vif-under-test.ts";

const notDone = (what: RegExp) => ({ code: "XAPI_NOT_DONE", message: expect.stringMatching(what) });

/** Answers as done what is not done, once. */
const pretend = (pool: PoolUnderTest, method: string) => pool.simulator.faults.pretend(method);

test("a network that XAPI only says it destroyed is an error, and the next destroy takes it away", async () => {
  await using pool = await startPool();
  const given = { owner: urnOf("XenNetwork", "internal"), nameLabel: "Internal network" };
  const { inputs } = await xenNetworkHandler.check(pool.host, {}, given);
  const { id, outs } = await xenNetworkHandler.create(pool.host, inputs);
  pretend(pool, "network.destroy");
  const destroy = () => xenNetworkHandler.delete(pool.newProcess(), id, outs);
  await expect(destroy()).rejects.toMatchObject(notDone(/"Internal network".*was to be destroyed.*still there/));
  await destroy();
  expect(await pool.simulator.admin.call("network.get_by_name_label", "Internal network")).toEqual([]);
});

test("so is a VIF that XAPI only says it destroyed", async () => {
  await using pool = await startPool();
  const { id, outs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  pretend(pool, "VIF.destroy");
  const destroy = () => handler.delete(pool.newProcess(), id, outs);
  await expect(destroy()).rejects.toMatchObject(notDone(/device 1 of VM "Fedora server 1".*to be destroyed/));
  await destroy();
  await expect(vifOn(pool, "Fedora server 1", "1")).rejects.toThrow(/no VIF on device 1/);
});

test("a VIF that XAPI only says it plugged keeps its id in the state, and the next up plugs it", async () => {
  await using pool = await startPool();
  await startVm(pool);
  pretend(pool, "VIF.plug");
  const given = { ...web1, network: await makeNetwork(pool), device: "1" };
  const failure = (await made(pool, given).catch((error: unknown) => error)) as Props;
  expect(failure).toMatchObject(notDone(/to be plugged.*it is not plugged, and its VM runs/));
  const properties = failure["properties"] as Props;
  const { outs } = await handler.update(pool.newProcess(), String(failure["id"]), properties, properties);
  expect(outs).toMatchObject({ currentlyAttached: true, drift: [] });
});

test("a VM that stops right after the plug is no failure of it", async () => {
  await using pool = await startPool();
  const vm = await startVm(pool);
  pretend(pool, "VIF.plug");
  pool.simulator.faults.delay("task.get_record", 700);
  const making = made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  await expect.poll(() => pool.simulator.countCalls("VIF.plug"), { timeout: 5000 }).toBe(1);
  await pool.simulator.admin.call("VM.hard_shutdown", vm);
  expect((await making).outs).toMatchObject({ currentlyAttached: false });
});

test("former settings that do not come back keep their record, whatever XAPI says, and the next destroy gives them back", async () => {
  await using pool = await startPool();
  const before = await deviceZero(pool);
  const given = { ...web1, network: await makeNetwork(pool), device: "0", onDeviceConflict: "takeOver" };
  const { id, outs } = await made(pool, { ...given, lockingMode: "disabled" });
  const destroy = () => handler.delete(pool.newProcess(), id, outs);
  for (const method of ["VIF.move", "VIF.set_locking_mode"]) {
    pretend(pool, method);
    await expect(destroy()).rejects.toMatchObject({ code: "XAPI_NOT_DONE" });
    expect((await deviceZero(pool))["other_config"]).toHaveProperty("xennet:former");
  }
  await destroy();
  expect(await deviceZero(pool)).toEqual(before);
});

test("nor does an adopted network lose them", async () => {
  await using pool = await startPool();
  const name = "Pool-wide network associated with eth0";
  const given = { owner: urnOf("XenNetwork", "lan"), adopt: { nameLabel: name }, nameDescription: "ours" };
  const { inputs, failures } = await xenNetworkHandler.check(pool.host, {}, given);
  expect(failures).toEqual([]);
  const [ref] = await pool.simulator.admin.call<string[]>("network.get_by_name_label", name);
  const record = () => pool.simulator.admin.call("network.get_record", ref ?? "");
  const before = await record();
  const { id, outs } = await xenNetworkHandler.create(pool.host, inputs);
  pretend(pool, "network.set_name_description");
  const destroy = () => xenNetworkHandler.delete(pool.newProcess(), id, outs);
  await expect(destroy()).rejects.toMatchObject(notDone(/former settings back.*name_description is "ours"/));
  await destroy();
  expect(await record()).toEqual(before);
  expect(await vmKeys(pool)).toEqual([]);
});
