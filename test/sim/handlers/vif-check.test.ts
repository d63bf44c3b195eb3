import { expect, test } from "vitest";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { startPool } from "./pool-under-test.ts";
import { checked, deviceZero, ipv4, made, makeNetwork, vifOn, web1 } from "./vif-under-test.ts";

const locked = { lockingMode: "locked", ipv4 };

test.each([
  ["a new VIF without ipv4Allowed", { ...locked, device: "3" }],
  ["a new VIF with other addresses", { ...locked, device: "3", ipv4Allowed: ["192.168.100.12"] }],
  ["a VIF that is to be replaced, whatever it allows", { ...locked, onDeviceConflict: "replace" }],
  ["an adopted VIF that does not allow it", { ...locked, adopt: true, ipv4: { address: "192.168.1.78/24" } }],
])("an address that a locked VIF would refuse is refused in check: %s", async (_, given) => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const { ref } = await deviceZero(pool);
  await pool.simulator.admin.call("VIF.set_ipv4_allowed", ref, ["192.168.100.11"]);
  const { failures } = await handler.check(pool.host, {}, { ...web1, network, ...given });
  expect(failures.map((failure) => failure.property)).toEqual(["ipv4.address"]);
});

test("an adopted VIF that is locked and allows the address by itself passes check", async () => {
  await using pool = await startPool();
  const { ref } = await deviceZero(pool);
  await pool.simulator.admin.call("VIF.set_ipv4_allowed", ref, ["192.168.100.11"]);
  await checked(pool.newProcess(), { ...web1, ...locked, adopt: true });
  await pool.simulator.admin.call("VIF.set_ipv4_allowed", ref, []);
  await pool.simulator.admin.call("VIF.set_locking_mode", ref, "locked");
  const { failures } = await handler.check(pool.newProcess(), {}, { ...web1, ipv4, adopt: true });
  expect(failures.map((failure) => failure.property)).toEqual(["ipv4.address"]);
});

test("the id of another pool's network is a failure of the property network", async () => {
  await using pool = await startPool();
  const elsewhere = "11111111-2222-3333-4444-555555555555/66666666-7777-8888-9999-000000000000";
  const { failures } = await handler.check(pool.host, {}, { ...web1, device: "3", network: elsewhere });
  expect(failures.map((failure) => failure.property)).toEqual(["network"]);
  expect(failures[0]?.reason).toMatch(/expected a network of pool .*, found the id .* of a network of another pool/);
});

test("a VIF that is renamed and replaced in one up is not taken for another resource's", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const { id, outs, inputs } = await made(pool, { ...web1, network, device: "3" });
  const news = { ...web1, owner: `${web1.owner}-renamed`, network, device: "3", mac: "02:16:3e:00:00:01" };
  // As the engine asks: with what there is, then what a change means, then for the one that takes its place.
  const process = pool.newProcess();
  expect(await handler.check(process, inputs, news)).toMatchObject({ failures: [] });
  expect((await handler.diff(process, id, outs, { ...inputs, ...news })).replaces).toEqual(["mac"]);
  expect(await handler.check(process, {}, news)).toMatchObject({ failures: [] });
  // Nobody else may have it.
  const other = await handler.check(process, {}, { ...news, owner: `${web1.owner}-other` });
  expect(other.failures).toMatchObject([{ property: "device", reason: expect.stringContaining("DEVICE_TAKEN") }]);
});

test("a MAC address that is used on the network already is warned of without showing it, and a snapshot's does not count", async () => {
  await using pool = await startPool();
  const network = await makeNetwork(pool);
  const mac = "02:16:3e:00:00:01";
  await made(pool, { ...web1, network, device: "3", mac });
  await pool.simulator.admin.call("VM.snapshot", await pool.vmNamed(web1.vm), "before");
  const again = pool.newProcess();
  await checked(again, { ...web1, network, device: "3", mac });
  expect(pool.warnings).toEqual([]);
  await checked(again, { ...web1, owner: `${web1.owner}-second`, vm: "Fedora server 2", network, device: "3", mac });
  expect(pool.warnings.join()).toMatch(/its MAC address is used on network "Internal network" by device 3 of VM/);
  expect(pool.warnings.join()).not.toContain(mac);
});

test("a snapshot's VIF and a template are said to be what they are", async () => {
  await using pool = await startPool();
  await pool.simulator.admin.call("VM.snapshot", await pool.vmNamed(web1.vm), "before");
  const { uuid } = await vifOn(pool, "before", "0");
  const asked = async (given: object) =>
    (await handler.check(pool.host, {}, { ...web1, ...given })).failures[0]?.reason;
  expect(await asked({ adopt: { uuid } })).toMatch(
    /belongs to a snapshot, a template or the control domain; the VM has/,
  );
  expect(await asked({ adopt: true, vm: "before" })).toMatch(
    /Templates, snapshots and the control domains do not count/,
  );
});

test("a long text that is no id is shown in part", async () => {
  await using pool = await startPool();
  const read = handler.read(pool.host, "x".repeat(10_000), {});
  await expect(read).rejects.toThrow(/^expected an id .{0,200}$/);
});
