import { expect, test } from "vitest";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { xenVifHandler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { startPool } from "./pool-under-test.ts";

const missing = "00000000-0000-4000-8000-000000000000";

async function seededVif(pool: Awaited<ReturnType<typeof startPool>>) {
  const [ref = ""] = await pool.simulator.admin.call<string[]>("VIF.get_all");
  return pool.simulator.admin.call<Record<string, string>>("VIF.get_record", ref);
}

test("a network that is only read shows what it is, and is written to by nobody", async () => {
  await using pool = await startPool();
  const [ref = ""] = await pool.simulator.admin.call<string[]>(
    "network.get_by_name_label",
    "Host internal management network",
  );
  const before = await pool.simulator.admin.call<Record<string, string>>("network.get_record", ref);
  const id = `${pool.simulator.poolUuid}/${before["uuid"]}`;
  const first = await xenNetworkHandler.read(pool.host, id, { host: "default" });
  expect(first).toMatchObject({ id, inputs: { host: "default" } });
  expect(first.props).toMatchObject({ host: "default", nameLabel: before["name_label"], bridge: "xenapi" });
  expect(first.props).not.toHaveProperty("owner");
  expect(await xenNetworkHandler.read(pool.newProcess(), id, first.props)).toEqual(first);
  expect(pool.writingCalls()).toBe(0);
});

test("a VIF that is only read shows where it is, and no drift", async () => {
  await using pool = await startPool();
  const vif = await seededVif(pool);
  const id = `${pool.simulator.poolUuid}/${vif["uuid"]}`;
  const first = await xenVifHandler.read(pool.host, id, { host: "default" });
  const vm = await pool.simulator.admin.call<string>("VM.get_uuid", vif["VM"] ?? "");
  expect(first.props).toMatchObject({ vm, device: "0", mac: vif["MAC"], drift: [], takenOver: false });
  expect(String(first.props["network"])).toMatch(new RegExp(`^${pool.simulator.poolUuid}/`));
  expect(await xenVifHandler.read(pool.newProcess(), id, first.props)).toEqual(first);
  expect(pool.writingCalls()).toBe(0);
});

test.each([
  ["network", xenNetworkHandler],
  ["VIF", xenVifHandler],
])("a %s that cannot be found is an error at first, and gone later", async (what, handler) => {
  await using pool = await startPool();
  const id = `${pool.simulator.poolUuid}/${missing}`;
  await expect(handler.read(pool.host, id, { host: "default" })).rejects.toThrow(
    `expected the id of a ${what} of the pool, found no ${what} for "${id}"`,
  );
  expect(await handler.read(pool.host, id, { host: "default", uuid: missing })).toMatchObject({ id: "" });
});
