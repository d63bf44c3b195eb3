import { expect, test } from "vitest";
import { connect, simulate } from "./fixtures.ts";
import type { Value } from "./simulator.ts";

async function scene() {
  const simulator = await simulate();
  const client = await connect(simulator);
  const [host = ""] = await client.call<string[]>("host.get_all");
  const nfs = { host, SR: "OpaqueRef:nfs", device_config: { server: "10.0.0.5", serverpath: "/srv" } };
  return { ...simulator, ...client, host, nfs };
}

test("a host is connected to storage by a PBD that both know, until that is destroyed", async () => {
  const { call, host, nfs } = await scene();
  const seeded = await call<string[]>("host.get_PBDs", host);
  const pbd = await call<string>("PBD.create", nfs);
  expect(await call("PBD.get_record", pbd)).toMatchObject({ ...nfs, currently_attached: false, other_config: {} });
  expect(await call("host.get_PBDs", host)).toEqual([...seeded, pbd]);
  await call("PBD.set_device_config", pbd, { server: "10.0.0.6" });
  expect(await call("PBD.get_device_config", pbd)).toEqual({ server: "10.0.0.6" });
  await call("PBD.destroy", pbd);
  expect(await call("host.get_PBDs", host)).toEqual(seeded);
});

test("a second PBD for the same storage is the first one, or an error when it says another way", async () => {
  const { call, host, nfs } = await scene();
  const pbd = await call<string>("PBD.create", nfs);
  expect(await call("PBD.create", nfs)).toBe(pbd);
  const otherWay: Value = { ...nfs, device_config: { server: "10.0.0.6" } };
  await expect(call("PBD.create", otherWay)).rejects.toThrow(`PBD_EXISTS ${nfs.SR} ${host} ${pbd}`);
  await expect(call("PBD.create", { ...nfs, host: "OpaqueRef:no" })).rejects.toThrow("HANDLE_INVALID host");
});

test("a PBD that attaches storage is not destroyed, and only who manages the pool makes one", async () => {
  const { admin, call, faults, nfs } = await scene();
  const pbd = await call<string>("PBD.create", nfs);
  admin.modify("PBD", pbd, { currently_attached: true });
  await expect(call("PBD.destroy", pbd)).rejects.toThrow("OPERATION_NOT_ALLOWED");
  faults.role("vm-admin");
  await expect(call("PBD.create", nfs)).rejects.toThrow("RBAC_PERMISSION_DENIED pbd.create");
});
