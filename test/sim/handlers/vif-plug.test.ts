import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { nullBackplane } from "../backplane.ts";
import { startPool } from "./pool-under-test.ts";
import { ipv4, made, makeNetwork, startVm, vifOn, web1 } from "./vif-under-test.ts";

test("plugged: false unplugs the VIF of a running VM in place, and true plugs it again", async () => {
  await using pool = await startPool();
  await startVm(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  expect(outs).toMatchObject({ currentlyAttached: true });
  const unplugged = { ...inputs, plugged: false };
  expect(await handler.diff(pool.host, id, outs, unplugged)).toMatchObject({ changes: true, replaces: [] });
  const after = await handler.update(pool.newProcess(), id, outs, unplugged);
  expect(after.outs).toMatchObject({ uuid: outs["uuid"], currentlyAttached: false, drift: [] });
  const again = await handler.update(pool.newProcess(), id, after.outs, inputs);
  expect(again.outs).toMatchObject({ uuid: outs["uuid"], currentlyAttached: true });
});

test("a VM that starts plugs all its VIFs; one that is declared unplugged shows as drift until the next up", async () => {
  await using pool = await startPool();
  const given = { ...web1, network: await makeNetwork(pool), device: "1", plugged: false };
  const { id, outs, inputs } = await made(pool, given);
  await startVm(pool);
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read.props["drift"]).toEqual(["plugged, though declared as unplugged"]);
  expect(await handler.diff(pool.host, id, read.props, inputs)).toMatchObject({ changes: true, replaces: [] });
  expect((await handler.update(pool.newProcess(), id, read.props, inputs)).outs["drift"]).toEqual([]);
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject({ currently_attached: false });
});

test("a VM that started after the pool was read gets the VIF plugged that its start did not know", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  pool.simulator.faults.intercept(async ({ method }, when) => {
    if (method === "VIF.create" && when === "before") await startVm(pool);
    return "go" as const;
  });
  const { outs } = await made(pool, { ...web1, network, device: "1" });
  expect(outs).toMatchObject({ currentlyAttached: true, drift: [] });
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject({ currently_attached: true });
});

test("a VM that is being started is waited for, and gets the VIF plugged that its start left out", async () => {
  let started = (): void => {};
  const starting = new Promise<void>((resolve) => {
    started = resolve;
  });
  await using pool = await startPool({ backplane: { ...nullBackplane, startGuest: () => starting } });
  const network = await makeNetwork(pool);
  const begun = startVm(pool);
  const vm = await pool.vmNamed("Fedora server 1");
  await expect.poll(() => pool.simulator.admin.call("VM.get_current_operations", vm)).not.toEqual({});
  let looks = 0;
  pool.simulator.faults.intercept(({ method }, when) => {
    if (method === "VM.get_record" && when === "after") looks += 1;
    if (looks === 2) started();
    return "go";
  });
  const { outs } = await made(pool, { ...web1, network, device: "1" });
  expect(outs).toMatchObject({ currentlyAttached: true, drift: [] });
  await begun;
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject({ currently_attached: true });
});

test("a paused VM fails with what to do, without an attempt; the state keeps the VIF, and the next up plugs it", async () => {
  await using pool = await startPool();
  const vm = await startVm(pool);
  await pool.simulator.admin.call("VM.pause", vm);
  const network = await makeNetwork(pool);
  const failure = (await made(pool, { ...web1, network, device: "1" }).catch((error: unknown) => error)) as Props;
  expect(failure).toMatchObject({ code: "VIF_NOT_PLUGGED", reasons: [expect.stringMatching(/xe vm-unpause/)] });
  expect(pool.simulator.countCalls("VIF.plug")).toBe(0);
  const properties = failure["properties"] as Props;
  expect(properties).toMatchObject({
    plugged: true,
    currentlyAttached: false,
    drift: ["not plugged, though its VM runs"],
  });
  const id = String(failure["id"]);
  const update = () => handler.update(pool.newProcess(), id, properties, { ...properties });
  await expect(update()).rejects.toMatchObject({ code: "VIF_NOT_PLUGGED", id });
  await pool.simulator.admin.call("VM.unpause", vm);
  const { inputs } = await handler.check(pool.newProcess(), {}, { ...web1, network, device: "1" });
  expect(await handler.diff(pool.newProcess(), id, properties, inputs)).toMatchObject({ changes: true, replaces: [] });
  expect((await update()).outs).toMatchObject({ uuid: properties["uuid"], currentlyAttached: true, drift: [] });
});

test("an update whose plug is refused has written everything else, and the state gets it", async () => {
  await using pool = await startPool();
  await startVm(pool);
  const given = { ...web1, network: await makeNetwork(pool), device: "1", plugged: false };
  const { id, outs, inputs } = await made(pool, given);
  pool.simulator.faults.fail("VIF.plug", "VM_MISSING_PV_DRIVERS", ["OpaqueRef:vm"]);
  const news = { ...inputs, plugged: true, lockingMode: "disabled" };
  const failed = handler.update(pool.newProcess(), id, outs, news);
  await expect(failed).rejects.toMatchObject({ id, properties: { lockingMode: "disabled", plugged: true } });
  expect(await vifOn(pool, "Fedora server 1", "1")).toMatchObject({ locking_mode: "disabled" });
});

test("an update that fails before has no partial state: the recorded properties stay", async () => {
  await using pool = await startPool();
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  pool.simulator.faults.fail("VIF.set_locking_mode", "LICENCE_RESTRICTION", ["VIF_locking"]);
  const failure = await handler
    .update(pool.newProcess(), id, outs, { ...inputs, lockingMode: "locked" })
    .catch((error: unknown) => error as Props);
  expect(failure).not.toHaveProperty("id");
});

test("on a suspended VM it is a warning, and drift once the VM runs", async () => {
  await using pool = await startPool();
  const vm = await pool.vmNamed("Fedora server 1");
  pool.simulator.admin.modify("VM", vm, { power_state: "Suspended" });
  const { id, outs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  expect(outs).toMatchObject({ currentlyAttached: false, drift: [] });
  expect(pool.warnings.join()).toMatch(/VM "Fedora server 1" is to be plugged .*, but the VM is suspended/);
  pool.simulator.admin.modify("VM", vm, { power_state: "Running", domid: 7 });
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read.props["drift"]).toEqual(["not plugged, though its VM runs"]);
  pool.simulator.admin.modify("VM", vm, { power_state: "Suspended", domid: -1 });
  await handler.delete(pool.newProcess(), id, outs);
  await expect(vifOn(pool, "Fedora server 1", "1")).rejects.toThrow();
});

test("shows the addresses that the guest's tools report for its device, without link-local ones and without a diff", async () => {
  await using pool = await startPool();
  const vm = await startVm(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network: await makeNetwork(pool), device: "1" });
  const metrics = await pool.simulator.admin.call<string>("VM.get_guest_metrics", vm);
  const networks = {
    ...{ "0/ip": "192.168.1.7", "1/ip": "192.168.100.11", "1/ipv4/0": "192.168.100.11", "1/ipv4/1": "169.254.3.4" },
    ...{ "1/ipv6/0": "fe80::16:3eff:fe00:1", "1/ipv6/1": "fd00::11", "10/ip": "10.0.0.1" },
  };
  pool.simulator.admin.modify("VM_guest_metrics", metrics, { networks });
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read.props["guestAddresses"]).toEqual(["192.168.100.11", "fd00::11"]);
  expect(read).not.toHaveProperty("inputs");
  expect(await handler.diff(pool.newProcess(), id, read.props, inputs)).toMatchObject({ changes: false });
  await pool.simulator.admin.call("VM.hard_shutdown", vm);
  expect((await handler.read(pool.newProcess(), id, outs)).props["guestAddresses"]).toEqual([]);
});

test("tells the guest's administrator what to write where XAPI cannot set the address", async () => {
  await using pool = await startPool();
  const vm = await pool.vmNamed("Fedora server 1");
  pool.simulator.admin.modify("VM", vm, { guest_metrics: "OpaqueRef:NULL" });
  const given = { ...web1, network: await makeNetwork(pool), device: "1", mac: "02:16:3e:00:00:01", ipv4 };
  const { id, outs, inputs } = await made(pool, given);
  expect(outs["ipv4SetBy"]).toBe("guest");
  expect(outs["guestSetup"]).toMatchObject({
    setBy: "guest",
    networkManager: expect.stringMatching(
      /mac-address=02:16:3E:00:00:01\n.*address1=192.168.100.11\/24,192.168.100.1\n/s,
    ),
  });
  await startVm(pool);
  const read = await handler.read(pool.newProcess(), id, outs);
  const updated = await handler.update(pool.newProcess(), id, read.props, inputs);
  expect(updated.outs).toMatchObject({ guestSetup: { setBy: "xapi" }, guestAddresses: ["192.168.100.11"] });
  expect((updated.outs["guestSetup"] as Props)["netplan"]).toBeUndefined();
});
