import { expect, test } from "vitest";
import { connect, simulate, vifRecord, vmByName } from "./fixtures.ts";
import type { ProfileName, Role } from "./simulator.ts";

async function scene(profile: ProfileName = "xcp-ng-8.3") {
  const simulator = await simulate({ profile });
  const client = await connect(simulator);
  const { call } = client;
  const vm = await vmByName(client, "Fedora server 1");
  const [vif = ""] = await call<string[]>("VM.get_VIFs", vm);
  const [pool = ""] = await call<string[]>("pool.get_all");
  const external = await call<string>("VIF.get_network", vif);
  const [pif = ""] = await call<string[]>("network.get_PIFs", external);
  const network = await call<string>("network.create", { other_config: {} });
  return { simulator, ...simulator, ...client, vm, vif, pool, pif, external, network };
}

test.each([
  ["xcp-ng-8.3", (network: string) => `HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED ${network}`],
  ["xcp-ng-8.2", () => "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"],
] as const)("%s gives a VM that HA protects no VIF on a network that is not everywhere", async (profile, error) => {
  const { admin, call, vm, pool, network, external } = await scene(profile);
  admin.modify("pool", pool, { ha_enabled: true });
  admin.modify("VM", vm, { ha_restart_priority: "restart" });
  const create = (on: string, device: string) => call("VIF.create", vifRecord(vm, on, device));
  await expect(create(network, "0")).rejects.toThrow(error(network));
  await expect(create(network, "x")).rejects.toThrow("INVALID_DEVICE x");
  await create(external, "1");
  admin.modify("VM", vm, { ha_restart_priority: "best-effort" });
  await create(network, "2");
});

test("a licence without VIF locking refuses locked VIFs and allowed addresses, and nothing else", async () => {
  const { admin, call, vm, vif, pool, network } = await scene();
  admin.modify("pool", pool, { restrictions: { restrict_vif_locking: "true" } });
  const refused = "LICENCE_RESTRICTION VIF_locking";
  const locked = vifRecord(vm, network, "x", { locking_mode: "locked" });
  await expect(call("VIF.create", locked)).rejects.toThrow(refused);
  await expect(call("VIF.create", { ...locked, network: "OpaqueRef:no" })).rejects.toThrow("HANDLE_INVALID network");
  await expect(call("VIF.set_locking_mode", vif, "locked")).rejects.toThrow(refused);
  await expect(call("VIF.add_ipv4_allowed", vif, "10.0.0.1")).rejects.toThrow(refused);
  await call("VIF.set_locking_mode", vif, "disabled");
  await call("VIF.set_ipv4_allowed", vif, []);
  admin.modify("pool", pool, { restrictions: { restrict_guest_ip_setting: "true" } });
  const configure = call("VIF.configure_ipv4", vif, "Static", "no address", "");
  await expect(configure).rejects.toThrow("LICENCE_RESTRICTION Guest_ip_setting");
});

test("a guest that does not let go keeps its VIF until it is forced", async () => {
  const { admin, call, vm, vif } = await scene();
  await call("VM.start", vm, false, false);
  admin.setGuestTools(vm, { refusesUnplug: true });
  await expect(call("VIF.unplug", vif)).rejects.toThrow(`DEVICE_DETACH_REJECTED VIF ${vif}`);
  expect(await call("VIF.get_record", vif)).toMatchObject({ currently_attached: true, current_operations: {} });
  await call("VIF.unplug_force", vif);
  expect(await call("VIF.get_currently_attached", vif)).toBe(false);
});

test("a call waits for a long operation on the same VIF or VM", async () => {
  const { faults, call, countCalls, vm, vif } = await scene();
  await call("VM.start", vm, false, false);
  const release = faults.busy("VIF", vif, "attach");
  expect(Object.values(await call("VIF.get_current_operations", vif))).toEqual(["attach"]);
  expect(await call("VIF.get_allowed_operations", vif)).toEqual([]);
  const unplug = call("VIF.unplug", vif);
  await expect.poll(() => countCalls("VIF.unplug")).toBe(1);
  expect(await call("VIF.get_currently_attached", vif)).toBe(true);
  release();
  await unplug;
  expect(await call("VIF.get_record", vif)).toMatchObject({ currently_attached: false, current_operations: {} });
});

test.each([
  ["xcp-ng-8.3", / OpaqueRef:[^ ]+$/],
  ["xcp-ng-8.2", / snapshot$/],
] as const)(
  "%s names the operation that took too long, and the call is not made up for later",
  async (profile, end) => {
    const { faults, call, vm, vif } = await scene(profile);
    await call("VM.start", vm, false, false);
    const release = faults.busy("VM", vm, "snapshot", 50);
    const error = await call("VIF.unplug", vif).then(
      () => "nothing",
      ({ message }: Error) => message,
    );
    expect(error).toContain(`OTHER_OPERATION_IN_PROGRESS VM ${vm} snapshot`);
    expect(error).toMatch(end);
    await expect(call("VM.clean_shutdown", vm)).rejects.toThrow(`OTHER_OPERATION_IN_PROGRESS VM ${vm} snapshot`);
    release();
    await call("VM.pause", vm);
    expect(await call("VIF.get_currently_attached", vif)).toBe(true);
  },
);

test("nothing is plugged while the VM is being stopped", async () => {
  const { faults, call, vm, vif } = await scene();
  await call("VM.start", vm, false, false);
  faults.busy("VM", vm, "clean_shutdown");
  await expect(call("VIF.plug", vif)).rejects.toThrow(`DEVICE_ALREADY_ATTACHED ${vif}`);
  await expect(call("VIF.unplug", vif)).rejects.toThrow(/^OPERATION_NOT_ALLOWED/);
});

test("a VIF of a suspended VM is attached as it was created, and is not plugged", async () => {
  const { admin, call, vm, network } = await scene();
  admin.modify("VM", vm, { power_state: "Suspended" });
  const create = (device: string, currently_attached: boolean) =>
    call<string>("VIF.create", vifRecord(vm, network, device, { currently_attached }));
  const [attached, detached] = [await create("1", true), await create("2", false)];
  expect(await call("VIF.get_currently_attached", attached)).toBe(true);
  await expect(call("VIF.plug", detached)).rejects.toThrow(`VM_BAD_POWER_STATE ${vm} running suspended`);
  expect(await call("VIF.get_allowed_operations", attached)).toEqual(["attach"]);
});

test("an SR-IOV network has no hotplug, and that is said before the state of the VIF", async () => {
  const { admin, call, vm, vif, pif } = await scene();
  await call("VM.start", vm, false, false);
  admin.modify("PIF", pif, { sriov_logical_PIF_of: ["OpaqueRef:sriov"] });
  await expect(call("VIF.plug", vif)).rejects.toThrow(/^OPERATION_NOT_ALLOWED/);
});

test("nothing is plugged, moved or started on the network of a bond's member", async () => {
  const { admin, call, vm, vif, pif, external, network } = await scene();
  const [host = ""] = await call<string[]>("host.get_all");
  await call("VM.start", vm, false, false);
  await call("VIF.unplug", vif);
  admin.modify("PIF", pif, { bond_slave_of: "OpaqueRef:bond" });
  await expect(call("VIF.plug", vif)).rejects.toThrow(`CANNOT_PLUG_BOND_SLAVE ${pif}`);
  await call("VIF.move", vif, network);
  await call("VIF.plug", vif);
  const cannot = `HOST_CANNOT_ATTACH_NETWORK ${host} ${external}`;
  await expect(call("VIF.move", vif, external)).rejects.toThrow(cannot);
  await call("VM.hard_shutdown", vm);
  await call("VIF.move", vif, external);
  await expect(call("VM.start", vm, false, false)).rejects.toThrow(cannot);
});

test.each<[Role, string, string | undefined]>([
  ["read-only", "network.set_tags", "network.set_tags"],
  ["vm-operator", "network.set_tags", undefined],
  ["vm-operator", "network.set_MTU", "network.set_mtu"],
  ["vm-admin", "network.set_MTU", undefined],
  ["vm-admin", "network.set_name_label", "network.set_name_label"],
  ["pool-operator", "network.set_name_label", undefined],
  ["pool-operator", "network.add_purpose", "network.add_purpose"],
])("the role %s and the call %s: what is denied is %s", async (role, method, permission) => {
  const { faults, call, network } = await scene();
  const values = { "network.set_tags": ["a"], "network.set_MTU": "1400", "network.set_name_label": "x" };
  faults.role(role);
  await call("network.get_record", network);
  const attempt = call(method, network, values[method as keyof typeof values] ?? "nbd");
  if (permission === undefined) await attempt;
  else await expect(attempt).rejects.toThrow(`RBAC_PERMISSION_DENIED ${permission} `);
});

test("a rate limit is stored as it is given", async () => {
  const { call, vif } = await scene();
  await call("VIF.set_qos_algorithm_type", vif, "ratelimit");
  await call("VIF.add_to_qos_algorithm_params", vif, "kbps", "1000");
  expect(await call("VIF.get_record", vif)).toMatchObject({
    qos_algorithm_type: "ratelimit",
    qos_algorithm_params: { kbps: "1000" },
  });
});
