import { expect, test } from "vitest";
import { connect, simulate, vifRecord, vmByName } from "./fixtures.ts";
import type { Value } from "./simulator.ts";

async function scene(hosts: 1 | 2 = 1) {
  const simulator = await simulate({ hosts });
  const client = await connect(simulator);
  const [pif = "", second = ""] = await client.call<string[]>("PIF.get_all");
  const network = await client.call<string>("network.create", { other_config: {} });
  return { simulator, ...client, pif, second, network };
}

test("a VLAN makes a PIF on its network that knows both", async () => {
  const { call, pif, network } = await scene();
  const vlan = await call<string>("VLAN.create", pif, "4094", network);
  const { untagged_PIF, ...record } = await call<Record<string, Value>>("VLAN.get_record", vlan);
  expect(record).toMatchObject({ tagged_PIF: pif, tag: "4094" });
  expect(await call("PIF.get_record", untagged_PIF as string)).toMatchObject({
    ...{ network, device: "eth0", MAC: "fe:ff:ff:ff:ff:ff", VLAN: "4094", physical: false, VLAN_master_of: vlan },
  });
  expect(await call("PIF.get_VLAN_slave_of", pif)).toEqual([vlan]);
  await call("VLAN.destroy", vlan);
  expect(await call("network.get_PIFs", network)).toEqual([]);
});

test("a VLAN is refused in the server's order of complaints", async () => {
  const { simulator, call, pif, network } = await scene();
  const { admin } = simulator;
  const [host = ""] = await call<string[]>("host.get_all");
  const connected = await call<string>("PIF.get_network", pif);
  const unmanaged = await call<string>("network.create", { other_config: {}, bridge: "br-own", managed: false });
  const attempt = (tag: string, on: string) => call("VLAN.create", pif, tag, on);
  admin.modify("PIF", pif, { managed: false, bond_slave_of: "OpaqueRef:bond", VLAN: 7 });
  await expect(attempt("4095", unmanaged)).rejects.toThrow(`NETWORK_UNMANAGED ${unmanaged}`);
  await expect(attempt("4095", connected)).rejects.toThrow(`NETWORK_ALREADY_CONNECTED ${host} ${pif}`);
  await expect(attempt("4095", network)).rejects.toThrow(`PIF_UNMANAGED ${pif}`);
  admin.modify("PIF", pif, { managed: true });
  await expect(attempt("4095", network)).rejects.toThrow(`CANNOT_ADD_VLAN_TO_BOND_SLAVE ${pif}`);
  admin.modify("PIF", pif, { bond_slave_of: "OpaqueRef:NULL" });
  await expect(attempt("4095", network)).rejects.toThrow(`PIF_IS_VLAN ${pif}`);
  admin.modify("PIF", pif, { VLAN: -1, tunnel_access_PIF_of: ["OpaqueRef:tunnel"] });
  await expect(attempt("4095", network)).rejects.toThrow(`IS_TUNNEL_ACCESS_PIF ${pif}`);
  admin.modify("PIF", pif, { tunnel_access_PIF_of: [] });
  await expect(attempt("4095", network)).rejects.toThrow("VLAN_TAG_INVALID 4095");
  await attempt("9", network);
  const other = await call<string>("network.create", { other_config: {} });
  await expect(attempt("9", other)).rejects.toThrow("PIF_VLAN_EXISTS eth0");
});

test("a pool's VLAN is on every host, or on none", async () => {
  const { simulator, call, pif, second, network } = await scene(2);
  const made = await call<string[]>("pool.create_VLAN_from_PIF", pif, network, "9");
  expect(await call("network.get_PIFs", network)).toEqual(made);
  expect(made).toHaveLength(2);
  simulator.admin.modify("PIF", second, { managed: false });
  const other = await call<string>("network.create", { other_config: {} });
  const again = call("pool.create_VLAN_from_PIF", pif, other, "10");
  await expect(again).rejects.toThrow(`PIF_UNMANAGED ${second}`);
  expect(await call("network.get_PIFs", other)).toEqual([]);
  expect(await call("VLAN.get_all")).toHaveLength(2);
});

test("a VLAN stays while a VIF is attached to it", async () => {
  const client = await scene();
  const { call, pif, network } = client;
  const vlan = await call<string>("VLAN.create", pif, "9", network);
  const vm = await vmByName(client, "Fedora server 1");
  const vif = await call<string>("VIF.create", vifRecord(vm, network, "1"));
  await call("VM.start", vm, false, false);
  await expect(call("VLAN.destroy", vlan)).rejects.toThrow(`VIF_IN_USE ${network} ${vif}`);
  await call("VIF.unplug", vif);
  await call("VLAN.destroy", vlan);
});
