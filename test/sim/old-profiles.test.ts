import { expect, test } from "vitest";
import { nullBackplane } from "./backplane.ts";
import { connect, post, simulate, vifRecord, vmByName } from "./fixtures.ts";
import type { ProfileName, Value } from "./simulator.ts";

const old = ["xenserver-5.6", "xenserver-6.2"] as const;

test.each([
  ["xenserver-5.6", "1", "7", { product_brand: "XenServer", product_version: "5.6.0", build_number: "31188p" }],
  ["xenserver-6.2", "2", "0", { product_brand: "XenServer", product_version: "6.2.0", build_number: "70446c" }],
] as const)("%s shows API %s.%s and its release", async (profile, API_version_major, API_version_minor, release) => {
  const { call } = await connect(await simulate({ profile }));
  const [record = {}] = Object.values(await call<Record<string, Record<string, Value>>>("host.get_all_records"));
  expect(record).toMatchObject({ API_version_major, API_version_minor, software_version: release, edition: "free" });
  const hasBackend = Object.hasOwn(record["software_version"] as object, "network_backend");
  expect(hasBackend).toBe(profile === "xenserver-6.2");
});

const newer = {
  network: ["managed", "assigned_ips", "purpose"],
  VIF: ["ipv4_configuration_mode", "ipv4_addresses", "ipv6_gateway"],
  host: ["control_domain", "https_only"],
  PIF: ["properties", "capabilities"],
  VM_guest_metrics: ["can_use_hotplug_vif", "PV_drivers_detected"],
};
const sinceSix = {
  network: ["default_locking_mode"],
  VIF: ["locking_mode", "ipv4_allowed", "ipv6_allowed"],
  PIF: ["ipv6_configuration_mode"],
  VM: ["suspend_SR", "order"],
};

test.each([
  ["xenserver-5.6", newer],
  ["xenserver-5.6", sinceSix],
  ["xenserver-6.2", newer],
] as const)("%s has no fields that came later", async (profile, absent) => {
  const { call } = await connect(await simulate({ profile }));
  for (const [className, fields] of Object.entries(absent)) {
    for (const record of Object.values(await call<Record<string, object>>(`${className}.get_all_records`))) {
      for (const field of fields) expect(record, className).not.toHaveProperty(field);
    }
  }
});

test("XenServer 6.2 has the fields that came with 6.0 and 6.1", async () => {
  const { call } = await connect(await simulate({ profile: "xenserver-6.2" }));
  for (const [className, fields] of Object.entries(sinceSix)) {
    const [record] = Object.values(await call<Record<string, object>>(`${className}.get_all_records`));
    for (const field of fields) expect(record, className).toHaveProperty(field);
  }
});

test.each(["VIF.move", "VIF.configure_ipv4", "network.add_purpose", "task.set_status"])(
  "%s is unknown to both old releases",
  async (method) => {
    for (const profile of old) {
      const { call } = await connect(await simulate({ profile }));
      await expect(call(method)).rejects.toThrow(`MESSAGE_METHOD_UNKNOWN ${method}`);
    }
  },
);

test.each([
  ...["VIF.unplug_force", "VIF.set_locking_mode", "VIF.set_ipv4_allowed", "network.set_default_locking_mode"],
  ...["event.from", "event.inject", "VM.shutdown", "host.get_management_interface"],
])("%s came after XenServer 5.6, and before 6.2", async (method) => {
  const [former, later] = await Promise.all(old.map(async (profile) => connect(await simulate({ profile }))));
  await expect(former?.call(method)).rejects.toThrow(`MESSAGE_METHOD_UNKNOWN ${method}`);
  await expect(later?.call(method)).rejects.toThrow("MESSAGE_PARAMETER_COUNT_MISMATCH");
});

test.each(old)("%s speaks XML-RPC only", async (profile) => {
  const simulator = await simulate({ profile });
  const request = { jsonrpc: "2.0", id: 1, method: "session.login_with_password", params: ["root", "x"] };
  const reply = await post(simulator, "/jsonrpc", JSON.stringify(request));
  expect(reply.contentType).not.toBe("application/json");
  const { call } = await connect(simulator);
  expect(await call("pool.get_all")).toHaveLength(1);
});

test("XenServer 5.6 wants the names of a new network, and neither release takes a name for its bridge", async () => {
  const given = { other_config: {}, bridge: "lan7", managed: false };
  const named = { ...given, name_label: "n", name_description: "" };
  const former = await connect(await simulate({ profile: "xenserver-5.6" }));
  const attempt = former.call("network.create", { ...given, name_description: "" });
  await expect(attempt).rejects.toThrow('INTERNAL_ERROR Dispatcher_FieldNotFound("name_label")');
  const later = await connect(await simulate({ profile: "xenserver-6.2" }));
  await expect(later.call("network.create", given)).resolves.toMatch(/^OpaqueRef:/);
  for (const { call } of [former, later]) {
    const ref = await call<string>("network.create", named);
    expect(await call("network.get_bridge", ref)).toMatch(/^xapi[0-9]$/);
  }
});

test.each([
  ["xenserver-5.6", "Guest installer network", "192.168.128.1"],
  ["xenserver-6.2", "Host internal management network", "169.254.0.1"],
])("the host's own network of %s is the %s", async (profile, name, ip_begin) => {
  const { call } = await connect(await simulate({ profile: profile as ProfileName }));
  const [network = ""] = await call<string[]>("network.get_by_name_label", name);
  const { other_config, bridge } = await call<Record<string, Value>>("network.get_record", network);
  expect(bridge).toBe("xenapi");
  expect(other_config).toMatchObject({ is_guest_installer_network: "true", ip_begin });
  const isMarkedAsManagement = Object.hasOwn(other_config as object, "is_host_internal_management_network");
  expect(isMarkedAsManagement).toBe(profile === "xenserver-6.2");
});

/** A running VM with a VIF on a network of its own, and what the lab is told of its bridge. */
async function runningOnOwnNetwork(profile: ProfileName) {
  const log: string[] = [];
  const backplane = {
    ...nullBackplane,
    unplugVif: async (vif: { bridge: string; internal: boolean }) => {
      log.push(`${vif.bridge} ${vif.internal ? "goes" : "stays"}`);
    },
    removeBridge: async (bridge: string) => {
      log.push(`${bridge} removed`);
    },
  };
  const client = await connect(await simulate({ profile, backplane }));
  const { call } = client;
  const network = await call<string>("network.create", { name_label: "n", name_description: "", other_config: {} });
  const vm = await vmByName(client, "Fedora server 1");
  const vif = await call<string>("VIF.create", vifRecord(vm, network, "1"));
  await call("VM.start", vm, false, false);
  return { log, call, network, vif };
}

test.each([
  ["xenserver-5.6", ["xapi0 stays", "xapi0 removed"]],
  ["xenserver-6.2", ["xapi0 goes"]],
  ["xcp-ng-8.3", ["xapi0 goes"]],
] as const)("what becomes of an internal bridge after its last port on %s", async (profile, told) => {
  const { log, call, network, vif } = await runningOnOwnNetwork(profile);
  await call("VIF.unplug", vif);
  await call("VIF.destroy", vif);
  await call("network.destroy", network);
  expect(log).toEqual(told);
});

test.each(old)(
  "%s plugs by the version of the drivers, where there is no field that says they are there",
  async (profile) => {
    const simulator = await simulate({ profile });
    const client = await connect(simulator);
    for (const [name, pvDrivers] of [
      ["Fedora server 1", true],
      ["Fedora server 2", false],
    ] as const) {
      const vm = await vmByName(client, name);
      simulator.admin.setGuestTools(vm, { pvDrivers });
      await client.call("VM.start", vm, false, false);
      const [vif = ""] = await client.call<string[]>("VM.get_VIFs", vm);
      const unplug = client.call("VIF.unplug", vif);
      if (pvDrivers) await unplug;
      else await expect(unplug).rejects.toThrow(`VM_MISSING_PV_DRIVERS ${vm}`);
    }
  },
);
