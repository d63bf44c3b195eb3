import { expect, test } from "vitest";
import { startPool } from "./handlers/pool-under-test.ts";
import { poolRecords } from "./lifecycle/pool-records.ts";

test("a pool is put back as it was saved, as often as asked, with its sessions and the numbers it gives out", async () => {
  await using pool = await startPool();
  const { admin, openSessions } = pool.simulator;
  const create = (name_label: string) =>
    admin.call<string>("network.create", { name_label, name_description: "", other_config: {}, tags: [], MTU: 1500 });
  const bridgeOf = (network: string) => admin.call<string>("network.get_bridge", network);
  const kept = await create("kept");
  const vm = await pool.vmNamed("Fedora server 1");
  const before = await poolRecords(pool);
  const sessions = openSessions();
  const putBack = await pool.save();

  const bridges: string[] = [];
  for (const round of ["first", "second"]) {
    await pool.newProcess().xapi.call("network.set_name_label", kept, round);
    bridges.push(await bridgeOf(await create(round)));
    admin.setGuestTools(vm, { pvDrivers: false });
    await admin.call("VM.start", vm, false, false);
    await admin.call("VM.destroy", await pool.vmNamed("Fedora server 2"));
    expect(openSessions()).toBe(sessions + 1);
    expect(await poolRecords(pool)).not.toEqual(before);

    await putBack();
    expect(await poolRecords(pool)).toEqual(before);
    expect(openSessions()).toBe(sessions);
  }
  expect(bridges[1]).toBe(bridges[0]);
  await admin.call("VM.start", vm, false, false);
  const [vif] = await admin.call<string[]>("VM.get_VIFs", vm);
  await expect(admin.call("VIF.unplug", vif ?? "")).resolves.not.toThrow();
});
