import { expect, test } from "vitest";
import { connect, simulate, vifRecord, vmByName } from "./fixtures.ts";

test("a new network has the defaults and the next free bridge name", async () => {
  const { call } = await connect(await simulate());
  const first = await call<string>("network.create", { other_config: { automatic: "false" }, name_label: "Internal" });
  const second = await call<string>("network.create", { other_config: {}, name_label: "Internal" });
  expect(await call("network.get_record", first)).toMatchObject({
    name_label: "Internal",
    MTU: "1500",
    bridge: "xapi0",
    managed: true,
    other_config: { automatic: "false" },
    default_locking_mode: "unlocked",
    VIFs: [],
    PIFs: [],
  });
  expect(await call("network.get_bridge", second)).toBe("xapi1");
  expect(await call("network.get_by_name_label", "Internal")).toEqual([first, second]);
});

test("create ignores keys of a record that it does not take, and mends an MTU of 0", async () => {
  const { call } = await connect(await simulate());
  const full = { uuid: "", VIFs: [], default_locking_mode: "", MTU: "0", other_config: {}, assigned_ips: {} };
  const network = await call<string>("network.create", full);
  expect(await call("network.get_MTU", network)).toBe("1500");
  expect(await call("network.get_uuid", network)).toMatch(/^[0-9a-f-]{36}$/);
});

test("create without other_config fails and names the key", async () => {
  const { call } = await connect(await simulate());
  await expect(call("network.create", { name_label: "x" })).rejects.toThrow(/^INTERNAL_ERROR .*other_config/);
});

test.each(["xapi7", "eth1", "vif1.0", "sixteen-letters-"])("the bridge name %s is refused", async (bridge) => {
  const { call } = await connect(await simulate());
  await expect(call("network.create", { other_config: {}, bridge })).rejects.toThrow(`INVALID_VALUE bridge ${bridge}`);
});

test("a bridge name can be given once", async () => {
  const { call } = await connect(await simulate());
  await call("network.create", { other_config: {}, bridge: "br-lab" });
  const again = call("network.create", { other_config: {}, bridge: "br-lab" });
  await expect(again).rejects.toThrow("BRIDGE_NAME_EXISTS br-lab");
});

test("a network with an attached VIF stays", async () => {
  const { call } = await connect(await simulate());
  const network = await call<string>("network.create", { other_config: {} });
  const vm = await vmByName({ call, session: "" }, "Fedora server 1");
  const vif = await call<string>("VIF.create", vifRecord(vm, network, "1"));
  await call("VM.start", vm, false, false);
  await expect(call("network.destroy", network)).rejects.toThrow(`NETWORK_CONTAINS_VIF ${vif}`);
});

test("destroying a network silently takes everybody's unattached VIFs along", async () => {
  const client = await connect(await simulate());
  const network = await client.call<string>("network.create", { other_config: {} });
  const vif = await client.call<string>(
    "VIF.create",
    vifRecord(await vmByName(client, "Fedora server 2"), network, "1"),
  );
  await client.call("network.destroy", network);
  await expect(client.call("VIF.get_record", vif)).rejects.toThrow(`HANDLE_INVALID VIF ${vif}`);
  await expect(client.call("network.destroy", network)).rejects.toThrow(`HANDLE_INVALID network ${network}`);
});

test("networks with a PIF and the host's own network cannot be destroyed", async () => {
  const simulator = await simulate({ seed: "empty" });
  const { call } = await connect(simulator);
  const byBridge = async (bridge: string) => {
    const all = await call<Record<string, { bridge: string; PIFs: string[] }>>("network.get_all_records");
    return Object.entries(all).find(([, record]) => record.bridge === bridge) ?? ["", { PIFs: [] }];
  };
  const [external, { PIFs }] = await byBridge("xenbr0");
  await expect(call("network.destroy", external)).rejects.toThrow(`NETWORK_CONTAINS_PIF ${PIFs[0]}`);
  const [internal] = await byBridge("xenapi");
  await expect(call("network.destroy", internal)).rejects.toThrow(`CANNOT_DESTROY_SYSTEM_NETWORK ${internal}`);
});

test("adding a key twice fails, removing an absent one does nothing", async () => {
  const { call } = await connect(await simulate());
  const network = await call<string>("network.create", { other_config: { a: "1" } });
  const again = call("network.add_to_other_config", network, "a", "2");
  await expect(again).rejects.toThrow(`MAP_DUPLICATE_KEY network other_config ${network} a`);
  await call("network.remove_from_other_config", network, "b");
  await call("network.remove_from_other_config", network, "a");
  await call("network.add_to_other_config", network, "a", "2");
  expect(await call("network.get_other_config", network)).toEqual({ a: "2" });
});

test("tags are a set", async () => {
  const { call } = await connect(await simulate());
  const network = await call<string>("network.create", { other_config: {}, tags: ["one"] });
  await call("network.add_tags", network, "two");
  await call("network.add_tags", network, "two");
  await call("network.remove_tags", network, "one");
  await call("network.remove_tags", network, "one");
  expect(await call("network.get_tags", network)).toEqual(["two"]);
});

test("fields that only the server sets have no setter", async () => {
  const { call } = await connect(await simulate());
  const network = await call<string>("network.create", { other_config: {} });
  const attempt = call("network.set_bridge", network, "br9");
  await expect(attempt).rejects.toThrow("MESSAGE_METHOD_UNKNOWN network.set_bridge");
});

test("the default locking mode stays while a VIF is attached", async () => {
  const client = await connect(await simulate());
  const vm = await vmByName(client, "Fedora server 1");
  const [vif = ""] = await client.call<string[]>("VM.get_VIFs", vm);
  const network = await client.call<string>("VIF.get_network", vif);
  await client.call("network.set_default_locking_mode", network, "disabled");
  await client.call("VM.start", vm, false, false);
  const attempt = client.call("network.set_default_locking_mode", network, "unlocked");
  await expect(attempt).rejects.toThrow(`VIF_IN_USE ${network} ${vif}`);
});

test("another tool's changes are seen and not counted as calls", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  const network = await call<string>("network.create", { other_config: {}, name_label: "before" });
  await simulator.admin.call("network.set_name_label", network, "after");
  expect(await call("network.get_name_label", network)).toBe("after");
  expect(simulator.countCalls("network.set_name_label")).toBe(0);
});
