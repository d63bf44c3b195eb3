import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { startPool, urnOf } from "./pool-under-test.ts";
import { checked, deviceZero, ipv4, makeNetwork, web1 } from "./vif-under-test.ts";

test("takes over the VIF on the device, keeping UUID and MAC, and gives it back on destroy", async () => {
  await using pool = await startPool();
  const before = await deviceZero(pool);
  const network = await makeNetwork(pool);
  const inputs = await checked(pool.host, { ...web1, network, onDeviceConflict: "takeOver", ipv4 });
  const { id, outs } = await handler.create(pool.host, inputs);
  const taken = await deviceZero(pool);
  expect([taken["uuid"], taken["MAC"]]).toEqual([before["uuid"], before["MAC"]]);
  expect(taken["network"]).not.toBe(before["network"]);
  expect(outs).toMatchObject({ uuid: before["uuid"], mac: before["MAC"], takenOver: true, ipv4SetBy: "xapi" });

  await handler.delete(pool.newProcess(), id, outs);
  expect(await deviceZero(pool)).toEqual(before);
});

test("leaves the address to the administrator of a guest whose tools never ran, and sets it once they did", async () => {
  await using pool = await startPool();
  const vm = await pool.vmNamed("Fedora server 1");
  pool.simulator.admin.modify("VM", vm, { guest_metrics: "OpaqueRef:NULL" });
  const network = await makeNetwork(pool);
  const inputs = await checked(pool.host, { ...web1, network, onDeviceConflict: "takeOver", ipv4 });
  const { id, outs } = await handler.create(pool.host, inputs);
  expect(outs).toMatchObject({ ipv4SetBy: "guest" });
  await pool.simulator.admin.call("VM.start", vm, false, false);
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read.props["drift"]).toEqual([`the guest's address ${ipv4.address} is not set through XAPI`]);
  const updated = await handler.update(pool.host, id, read.props, inputs);
  expect(updated.outs).toMatchObject({ ipv4SetBy: "xapi", drift: [] });
});

test("gives back a static address the VIF had before", async () => {
  await using pool = await startPool();
  const vm = await pool.vmNamed("Fedora server 1");
  await pool.simulator.admin.call("VM.start", vm, false, false);
  const { ref } = await deviceZero(pool);
  await pool.simulator.admin.call("VIF.configure_ipv4", ref, "Static", "192.168.1.77/24", "192.168.1.50");
  const before = await deviceZero(pool);
  const network = await makeNetwork(pool);
  const inputs = await checked(pool.host, { ...web1, network, onDeviceConflict: "takeOver", ipv4 });
  const { id, outs } = await handler.create(pool.host, inputs);
  expect(outs).toMatchObject({ ipv4SetBy: "xapi", currentlyAttached: true });
  expect((await deviceZero(pool))["ipv4_addresses"]).toEqual([ipv4.address]);
  await handler.delete(pool.host, id, outs);
  expect(await deviceZero(pool)).toEqual(before);
});

test("refuses a device that is taken, naming what is there, unless it is told to take it over", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const writing = pool.writingCalls();
  const { failures } = await handler.check(pool.host, {}, { ...web1, network });
  expect(failures.map((failure) => failure.property)).toEqual(["device"]);
  expect(failures[0]?.reason).toMatch(/device "0" of VM "Fedora server 1" has VIF .* on network "Pool-wide network/);
  expect(pool.writingCalls()).toBe(writing);
});

test("makes a VIF of its own on a free device and plugs it into a running VM", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  await pool.simulator.admin.call("VM.start", await pool.vmNamed("Fedora server 1"), false, false);
  const inputs = await checked(pool.host, { ...web1, network, device: 1, mac: "02:16:3E:00:00:01", ipv4 });
  const { id, outs } = await handler.create(pool.host, inputs);
  const record = await pool.record("VIF", String(outs["uuid"]));
  expect(record).toMatchObject({ device: "1", MAC: "02:16:3E:00:00:01", currently_attached: true });
  expect(record["ipv4_addresses"]).toEqual([ipv4.address]);
  expect(outs).toMatchObject({ currentlyAttached: true, takenOver: false, ipv4SetBy: "xapi" });
  await handler.delete(pool.host, id, outs);
  await expect(pool.record("VIF", String(outs["uuid"]))).rejects.toThrow();
});

test("keeps a VIF in the state when it cannot be plugged, and the next update plugs it", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const vm = await pool.vmNamed("Fedora server 1");
  pool.simulator.admin.setGuestTools(vm, { pvDrivers: false });
  await pool.simulator.admin.call("VM.start", vm, false, false);
  const inputs = await checked(pool.host, { ...web1, network, device: "1" });
  const failure = await handler.create(pool.host, inputs).catch((error: unknown) => error as Props);
  expect(failure).toMatchObject({ xapiCode: "VM_MISSING_PV_DRIVERS" });
  const id = String((failure as Props)["id"]);
  const properties = (failure as Props)["properties"] as Props;
  expect(properties).toMatchObject({ ...inputs, currentlyAttached: false });
  await pool.simulator.admin.call("VM.hard_shutdown", vm);
  pool.simulator.admin.setGuestTools(vm, { pvDrivers: true });
  const { outs } = await handler.update(pool.newProcess(), id, properties, inputs);
  expect(outs["uuid"]).toBe(properties["uuid"]);
});

test("moves to another network in place, keeping UUID and MAC", async () => {
  await using pool = await startPool();
  const [first, second] = [await makeNetwork(pool), await makeNetwork(pool, "Other network")];
  const inputs = await checked(pool.host, { ...web1, network: first, device: "1" });
  const { id, outs } = await handler.create(pool.host, inputs);
  const news = { ...inputs, network: second };
  expect(await handler.diff(pool.host, id, outs, news)).toMatchObject({ changes: true, replaces: [] });
  const updated = await handler.update(pool.host, id, outs, news);
  expect([updated.outs["uuid"], updated.outs["mac"]]).toEqual([outs["uuid"], outs["mac"]]);
  expect(await handler.read(pool.newProcess(), id, updated.outs)).toEqual({ id, props: updated.outs });
});

test("an address that is not declared any more goes back to what the VIF had before", async () => {
  await using pool = await startPool();
  await pool.simulator.admin.call("VM.start", await pool.vmNamed("Fedora server 1"), false, false);
  const { ref } = await deviceZero(pool);
  await pool.simulator.admin.call("VIF.configure_ipv4", ref, "Static", "192.168.1.77/24", "192.168.1.50");
  const network = await makeNetwork(pool);
  const inputs = await checked(pool.host, { ...web1, network, onDeviceConflict: "takeOver", ipv4 });
  const { id, outs } = await handler.create(pool.host, inputs);
  const { ipv4: _, ...without } = inputs;
  expect((await handler.update(pool.host, id, outs, without)).outs["ipv4SetBy"]).toBe("none");
  expect((await deviceZero(pool))["ipv4_addresses"]).toEqual(["192.168.1.77/24"]);
});

test.each([
  ["device", "2", ["device"]],
  ["mac", "02:16:3e:00:00:07", ["mac"]],
  ["vm", "Fedora server 2", ["vm"]],
  ["network", "04da6b54-80e4-46f7-96ec-b56ff0331ba9", ["network"]],
])("a change of %s replaces", async (property, value, replaces) => {
  await using pool = await startPool();
  const inputs = await checked(pool.host, { ...web1, network: await makeNetwork(pool), device: "1" });
  const { id, outs } = await handler.create(pool.host, inputs);
  const news = { ...inputs, [property]: value };
  expect(await handler.diff(pool.host, id, outs, news)).toMatchObject({ replaces, deleteBeforeReplace: true });
});

test("the same VM under its UUID, and the same MAC in other letters, change nothing on the host", async () => {
  await using pool = await startPool();
  const given = { ...web1, network: await makeNetwork(pool), device: "1", mac: "02:16:3E:00:00:01" };
  const inputs = await checked(pool.host, given);
  const { id, outs } = await handler.create(pool.host, inputs);
  const news = { ...inputs, vm: outs["vmUuid"], mac: "02:16:3e:00:00:01" };
  expect((await handler.diff(pool.host, id, outs, news)).replaces).toEqual([]);
});

test("a second look changes nothing and writes nothing", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool.host, { ...web1, network: await makeNetwork(pool), device: "1", ipv4 });
  const { id, outs } = await handler.create(pool.host, inputs);
  const writing = pool.writingCalls();
  const later = pool.newProcess();
  const read = await handler.read(later, id, outs);
  expect(read).toEqual({ id, props: outs });
  expect(await handler.diff(later, id, read.props, inputs)).toMatchObject({ changes: false });
  expect(pool.writingCalls()).toBe(writing);
});

test("a VIF unplugged or destroyed outside is seen by the next refresh", async () => {
  await using pool = await startPool();
  await pool.simulator.admin.call("VM.start", await pool.vmNamed("Fedora server 1"), false, false);
  const inputs = await checked(pool.host, { ...web1, network: await makeNetwork(pool), device: "1" });
  const { id, outs } = await handler.create(pool.host, inputs);
  const ref = await pool.simulator.admin.call<string>("VIF.get_by_uuid", String(outs["uuid"]));
  await pool.simulator.admin.call("VIF.unplug", ref);
  const unplugged = await handler.read(pool.newProcess(), id, outs);
  expect(await handler.diff(pool.host, id, unplugged.props, inputs)).toMatchObject({ changes: true, replaces: [] });
  await pool.simulator.admin.call("VIF.destroy", ref);
  expect((await handler.read(pool.newProcess(), id, outs)).id).toBe("");
  await handler.delete(pool.newProcess(), id, outs);
});

test("takes over what an interrupted create left, without making a double", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool.host, { ...web1, network: await makeNetwork(pool), device: "1" });
  pool.simulator.faults.loseReply("VIF.create");
  await expect(handler.create(pool.newProcess(), inputs)).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
  const { outs } = await handler.create(pool.newProcess(), inputs);
  const all = await pool.simulator.admin.call<Record<string, Props>>("VIF.get_all_records");
  const ours = Object.values(all).filter((vif) => vif["device"] === "1");
  expect(ours.map((vif) => vif["uuid"])).toEqual([outs["uuid"]]);
});

test("finds a VIF again after a VM revert gave it another UUID", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool.host, { ...web1, network: await makeNetwork(pool), device: "1" });
  const { id, outs } = await handler.create(pool.host, inputs);
  const record = await pool.record("VIF", String(outs["uuid"]));
  const ref = await pool.simulator.admin.call<string>("VIF.get_by_uuid", String(outs["uuid"]));
  await pool.simulator.admin.call("VIF.destroy", ref);
  const again = await pool.simulator.admin.call<string>("VIF.create", record as never);
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read.props["uuid"]).toBe(await pool.simulator.admin.call("VIF.get_uuid", again));
  expect(read.id).not.toBe(id);
});

test.each([
  [{ vm: "Fedora server 9" }, "vm", /found no VM for "Fedora server 9".*"Fedora server 1"/],
  [{ network: "Nowhere" }, "network", /found no network for "Nowhere"/],
  [{ mac: "02-16-3e-00-00-01" }, "mac", /expected a MAC address/],
  [{ device: "first" }, "device", /expected a device number/],
  [{ ipv4: { address: "192.168.100.11" } }, "ipv4.address", /with prefix length/],
  [{ ipv4: { ...ipv4, gateway: "10.0.0.1" } }, "ipv4.gateway", /in the guest's network 192.168.100.0\/24/],
  [{ ipv4: "192.168.100.11/24" }, "ipv4", /expected an object/],
  [{ onDeviceConflict: "steal" }, "onDeviceConflict", /"fail", "takeOver" or "replace"/],
])("refuses %j, naming %s", async (wrong, property, reason) => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const writing = pool.writingCalls();
  const { failures } = await handler.check(pool.host, {}, { ...web1, network, device: "1", ...wrong });
  expect(failures.map((failure) => failure.property)).toEqual([property]);
  expect(failures[0]?.reason).toMatch(reason);
  expect(pool.writingCalls()).toBe(writing);
});

test("two VIFs of one program on one device are refused, naming the other", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  await checked(pool.host, { ...web1, network, device: "1" });
  const second = { owner: urnOf("XenVif", "other"), vm: "Fedora server 1", network, device: "1" };
  const { failures } = await handler.check(pool.host, {}, second);
  expect(failures.map((failure) => failure.reason)).toEqual([
    'expected a free device, but this program\'s "web1" of stack shop/dev has device 1 of "Fedora server 1" too',
  ]);
});

test("a state without the marks of a life deletes nothing", async () => {
  await using pool = await startPool();
  const { uuid } = await deviceZero(pool);
  await handler.delete(pool.host, `${pool.simulator.poolUuid}/${uuid}`, {});
  expect(await deviceZero(pool)).toMatchObject({ uuid });
  const [network = ""] = await pool.simulator.admin.call<string[]>("network.get_all");
  const networkUuid = await pool.simulator.admin.call<string>("network.get_uuid", network);
  await xenNetworkHandler.delete(pool.newProcess(), `${pool.simulator.poolUuid}/${networkUuid}`, { nameLabel: "x" });
  expect(await pool.record("network", networkUuid)).toMatchObject({ uuid: networkUuid });
});

test("a name that several VMs have is refused with the candidates", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  await pool.simulator.admin.call("VM.set_name_label", await pool.vmNamed("Fedora server 2"), "Fedora server 1");
  const { failures } = await handler.check(pool.newProcess(), {}, { ...web1, network, device: "1" });
  expect(failures[0]?.reason).toMatch(/expected one VM, found 2 named "Fedora server 1": .*Give the UUID instead/);
});
