import { expect, test } from "vitest";
import { connect, simulate, vmByName } from "./fixtures.ts";

async function scene() {
  const simulator = await simulate();
  const client = await connect(simulator);
  const vm = await vmByName(client, "Fedora server 1");
  const [vif = ""] = await client.call<string[]>("VM.get_VIFs", vm);
  return { ...client, simulator, vm, vif };
}

test("a static address shows in the VIF and in what the guest reports", async () => {
  const { call, vm, vif } = await scene();
  await call("VM.start", vm, false, false);
  await call("VIF.configure_ipv4", vif, "Static", "192.168.100.11/24", "192.168.100.1");
  expect(await call("VIF.get_record", vif)).toMatchObject({
    ipv4_configuration_mode: "Static",
    ipv4_addresses: ["192.168.100.11/24"],
    ipv4_gateway: "192.168.100.1",
  });
  const metrics = await call<string>("VM.get_guest_metrics", vm);
  const shown = { "0/ip": "192.168.100.11", "0/ipv4/0": "192.168.100.11" };
  expect(await call("VM_guest_metrics.get_networks", metrics)).toMatchObject(shown);
  await call("VIF.configure_ipv4", vif, "None");
  const left = await call<object>("VM_guest_metrics.get_networks", metrics);
  expect(Object.keys(left)).toEqual(["0/ipv6/0"]);
});

test("a guest reports the link-local address of its MAC, after those that are configured", async () => {
  const { simulator, call, vm, vif } = await scene();
  simulator.admin.modify("VIF", vif, { MAC: "52:54:00:12:34:56" });
  await call("VM.start", vm, false, false);
  const metrics = await call<string>("VM.get_guest_metrics", vm);
  const linkLocal = "fe80::5054:ff:fe12:3456";
  expect(await call("VM_guest_metrics.get_networks", metrics)).toEqual({ "0/ipv6/0": linkLocal });
  await call("VIF.configure_ipv6", vif, "Static", "2001:db8::11/64", "");
  const both = { "0/ipv6/0": "2001:db8::11", "0/ipv6/1": linkLocal };
  expect(await call("VM_guest_metrics.get_networks", metrics)).toEqual(both);
  await call("VIF.unplug", vif);
  expect(await call("VM_guest_metrics.get_networks", metrics)).toEqual({});
});

test("a guest reports its static address again after a restart", async () => {
  const { call, vm, vif } = await scene();
  await call("VM.start", vm, false, false);
  await call("VIF.configure_ipv4", vif, "Static", "192.168.100.11/24", "");
  await call("VM.clean_shutdown", vm);
  await call("VM.start", vm, false, false);
  const metrics = await call<string>("VM.get_guest_metrics", vm);
  expect(await call("VM_guest_metrics.get_networks", metrics)).toMatchObject({ "0/ip": "192.168.100.11" });
});

test("an address can be set only after the guest ran with tools that can set one", async () => {
  const { simulator, call, vm, vif } = await scene();
  const configure = () => call("VIF.configure_ipv4", vif, "Static", "192.168.100.11/24", "");
  simulator.admin.modify("VM", vm, { guest_metrics: "OpaqueRef:NULL" });
  await expect(configure()).rejects.toThrow(`VM_LACKS_FEATURE ${vm}`);
  simulator.admin.setGuestTools(vm, { staticIp: false });
  await call("VM.start", vm, false, false);
  await expect(configure()).rejects.toThrow(`VM_LACKS_FEATURE ${vm}`);
  await call("VM.clean_shutdown", vm);
  simulator.admin.setGuestTools(vm, { staticIp: true });
  await call("VM.start", vm, false, false);
  await call("VM.clean_shutdown", vm);
  await configure();
  expect(await call("VIF.get_ipv4_addresses", vif)).toEqual(["192.168.100.11/24"]);
});

test.each([
  ["192.168.100.11", "", "INVALID_CIDR_ADDRESS_SPECIFIED address"],
  ["192.168.100.11/33", "", "INVALID_CIDR_ADDRESS_SPECIFIED address"],
  ["fe80::1/64", "", "INVALID_CIDR_ADDRESS_SPECIFIED address"],
  ["192.168.100.11/24", "gateway", "INVALID_IP_ADDRESS_SPECIFIED gateway"],
])("the address %s with gateway '%s' is refused", async (address, gateway, error) => {
  const { call, vif } = await scene();
  await expect(call("VIF.configure_ipv4", vif, "Static", address, gateway)).rejects.toThrow(error);
});

test("an address outside the allowed ones of a locked VIF is refused", async () => {
  const { call, vm, vif } = await scene();
  await call("VM.start", vm, false, false);
  await call("VIF.set_locking_mode", vif, "locked");
  await call("VIF.set_ipv4_allowed", vif, ["192.168.100.12"]);
  const configure = (address: string) => call("VIF.configure_ipv4", vif, "Static", address, "");
  await expect(configure("192.168.100.11/24")).rejects.toThrow("ADDRESS_VIOLATES_LOCKING_CONSTRAINT 192.168.100.11/24");
  await configure("192.168.100.12/24");
});

test("allowed addresses are checked by family and folded when double", async () => {
  const { call, vif } = await scene();
  await call("VIF.set_ipv4_allowed", vif, ["10.0.0.1", "10.0.0.1", "10.1.0.0/16"]);
  await call("VIF.add_ipv4_allowed", vif, "10.0.0.1");
  expect(await call("VIF.get_ipv4_allowed", vif)).toEqual(["10.0.0.1", "10.1.0.0/16"]);
  await call("VIF.remove_ipv4_allowed", vif, "10.0.0.1");
  expect(await call("VIF.get_ipv4_allowed", vif)).toEqual(["10.1.0.0/16"]);
  await expect(call("VIF.add_ipv6_allowed", vif, "10.0.0.1")).rejects.toThrow(
    "INVALID_IP_ADDRESS_SPECIFIED ipv6_allowed",
  );
  await expect(call("VIF.set_locking_mode", vif, "open")).rejects.toThrow("INVALID_VALUE value open");
});

test("hosts before 8.3 take single addresses for a locked VIF only, later ones networks as well", async () => {
  for (const profile of ["xcp-ng-8.2", "xcp-ng-8.3"] as const) {
    const client = await connect(await simulate({ profile }));
    const [vif = ""] = await client.call<string[]>("VM.get_VIFs", await vmByName(client, "Fedora server 1"));
    for (const [family, address, network] of [
      ["ipv4", "192.168.100.11", "192.168.100.0/28"],
      ["ipv6", "fd00::11", "fd00::/64"],
    ] as const) {
      await client.call(`VIF.set_${family}_allowed`, vif, [address]);
      const set = client.call(`VIF.set_${family}_allowed`, vif, [network]);
      if (profile === "xcp-ng-8.3") await set;
      else await expect(set).rejects.toThrow("INVALID_IP_ADDRESS_SPECIFIED");
      const now = await client.call(`VIF.get_${family}_allowed`, vif);
      expect(now).toEqual([profile === "xcp-ng-8.3" ? network : address]);
    }
  }
});
