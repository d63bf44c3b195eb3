import { describe, expect, test } from "vitest";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { legs } from "../../support/legs.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";
import { checked, deviceZero, made, makeNetwork, vifOn, vmKeys, web1 } from "./vif-under-test.ts";

async function cloneFirst(pool: PoolUnderTest): Promise<void> {
  await pool.simulator.admin.call("VM.clone", await pool.vmNamed(web1.vm), "clone");
}

describe.each(legs("xcp-ng-8.3", "xenserver-5.6"))("on %s", (profile) => {
  test.each([
    ["adopt", { adopt: true }, "adopt"],
    ["onDeviceConflict: fail", {}, "device"],
    ["onDeviceConflict: takeOver", { onDeviceConflict: "takeOver" }, "device"],
  ])("marks that VM.clone copied do not make the clone's VIF ours: %s refuses it", async (_, given, property) => {
    await using pool = await startPool({ profile });
    const network = await makeNetwork(pool);
    const first = await made(pool, { ...web1, network, device: "3" });
    await cloneFirst(pool);
    const before = await vifOn(pool, "clone", "3");
    const moved = { ...web1, vm: "clone", network, device: "3", ...given };
    const host = pool.newProcess();
    const { inputs, failures } = await handler.check(host, first.inputs, moved);
    expect(failures.map((failure) => failure.property)).toEqual([property]);
    expect(failures[0]?.reason).toMatch(/marks that were copied when its VM was cloned.*xe vif-param-remove uuid=/);
    await handler.delete(host, first.id, first.outs);
    await expect(handler.create(host, inputs)).rejects.toThrow(/copied when its VM was cloned/);
    expect(await vifOn(pool, "clone", "3")).toEqual(before);
  });

  test("a VIF of ours that comes back by a revert of its VM is still ours", async () => {
    await using pool = await startPool({ profile });
    const { call } = pool.simulator.admin;
    const { id, outs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "3" });
    const snapshot = await call<string>("VM.snapshot", await pool.vmNamed(web1.vm), "before");
    await call("VM.revert", snapshot);
    const { uuid } = await vifOn(pool, web1.vm, "3");
    expect(uuid).not.toBe(outs["uuid"]);
    const read = await handler.read(pool.newProcess(), id, outs);
    expect(read.props).toMatchObject({ uuid });
    await handler.delete(pool.newProcess(), read.id, read.props);
    await expect(vifOn(pool, web1.vm, "3")).rejects.toThrow();
  });

  test("a VIF that was made and forgotten by the state is given back, not destroyed, once it is adopted", async () => {
    await using pool = await startPool({ profile });
    const network = await makeNetwork(pool);
    const { outs } = await made({ ...pool, host: pool.newProcess() }, { ...web1, network, device: "3" });
    const adopted = await made({ ...pool, host: pool.newProcess() }, { ...web1, device: "3", adopt: true, mtu: 1400 });
    expect(adopted.outs).toMatchObject({ uuid: outs["uuid"], takenOver: true });
    await handler.delete(pool.newProcess(), adopted.id, adopted.outs);
    expect(await vifOn(pool, web1.vm, "3")).toMatchObject({ uuid: outs["uuid"], other_config: {} });
  });

  test("adopting one device while the state has forgotten our VIF on another one is refused, and nothing is written", async () => {
    await using pool = await startPool({ profile });
    const network = await makeNetwork(pool);
    const { outs } = await made({ ...pool, host: pool.newProcess() }, { ...web1, network, device: "3" });
    const host = pool.newProcess();
    const inputs = await checked(host, { ...web1, device: "0", adopt: true, mtu: 1400 });
    const writing = pool.writingCalls();
    await expect(handler.create(host, inputs)).rejects.toMatchObject({
      code: "ADOPT_IMPOSSIBLE",
      message: expect.stringContaining(`has VIF ${outs["uuid"]} on device 3`),
    });
    expect(pool.writtenSince(writing)).toEqual([]);
  });

  test.each([{ adopt: true }, { onDeviceConflict: "takeOver" }, { onDeviceConflict: "replace" }])(
    "a VIF that still has another stack's former values is refused with %j, though its marks were removed",
    async (given) => {
      await using pool = await startPool({ profile });
      await made(pool, { ...web1, owner: urnOf("XenVif", "theirs", "prod"), adopt: true, mtu: 1400 });
      const { ref, other_config } = await deviceZero(pool);
      const { "xennet:owner": _owner, "xennet:incarnation": _life, ...kept } = other_config as Record<string, string>;
      await pool.simulator.admin.call("VIF.set_other_config", ref, kept);
      const network = await makeNetwork(pool);
      const { failures } = await handler.check(pool.newProcess(), {}, { ...web1, network, ...given });
      expect(failures.map((failure) => failure.reason).join()).toMatch(/belongs to "theirs" of stack shop\/prod/);
    },
  );

  test("a record of a replaced VIF that VM.clone copied with its VIF puts nothing back on the clone", async () => {
    await using pool = await startPool({ profile });
    const network = await makeNetwork(pool);
    const before = await deviceZero(pool);
    const first = await made(pool, { ...web1, network, onDeviceConflict: "replace" });
    await cloneFirst(pool);
    const { ref, other_config } = await vifOn(pool, "clone", "0");
    const marks = other_config as Record<string, string>;
    // A mark that names no VM, so that the clone's VIF counts as ours and only the record says where it belongs.
    const { "xennet:incarnation": life = "" } = marks;
    await pool.simulator.admin.call("VIF.set_other_config", ref, {
      ...marks,
      "xennet:incarnation": life.split("@")[0] ?? "",
    });
    const { inputs } = await handler.check(pool.newProcess(), {}, { ...web1, vm: "clone", network });
    const host = pool.newProcess();
    await handler.delete(host, first.id, first.outs);
    const second = await handler.create(host, inputs);
    await handler.delete(pool.newProcess(), second.id, second.outs);
    expect(await deviceZero(pool)).toMatchObject({ MAC: before["MAC"] });
    await expect(vifOn(pool, "clone", "0")).rejects.toThrow();
  });

  test("a pending record that VM.clone copied with its VM is ignored there", async () => {
    await using pool = await startPool({ profile });
    const network = await makeNetwork(pool);
    const before = await deviceZero(pool);
    const inputs = await checked(pool.host, { ...web1, network, onDeviceConflict: "replace" });
    pool.simulator.faults.dropConnection("VIF.create");
    await expect(handler.create(pool.newProcess(), inputs)).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
    await cloneFirst(pool);
    const { outs } = await handler.create(pool.newProcess(), { ...inputs, device: "2" });
    expect(outs).toMatchObject({ device: "2" });
    expect(await deviceZero(pool)).toMatchObject({ MAC: before["MAC"] });
    await expect(vifOn(pool, "clone", "0")).rejects.toThrow();
    expect(await vmKeys(pool)).toHaveLength(1);
  });

  test("a VM that goes between check and create is named as the one that is missing", async () => {
    await using pool = await startPool({ profile });
    const inputs = await checked(pool.host, { ...web1, network: await makeNetwork(pool), device: "3" });
    await pool.simulator.admin.call("VM.destroy", await pool.vmNamed(web1.vm));
    await expect(handler.create(pool.host, inputs)).rejects.toMatchObject({
      code: "REFERENCE_UNKNOWN",
      property: "vm",
    });
  });
});
