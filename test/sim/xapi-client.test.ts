import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { XapiClient } from "../../provider/src/xapi/client.ts";
import { hasXapiCode, isGone } from "../../provider/src/xapi/errors.ts";
import * as hosts from "../../provider/src/xapi/hosts.ts";
import * as networks from "../../provider/src/xapi/networks.ts";
import * as pools from "../../provider/src/xapi/pools.ts";
import * as vifs from "../../provider/src/xapi/vifs.ts";
import * as vms from "../../provider/src/xapi/vms.ts";
import { nullBackplane, type SimVif } from "./backplane.ts";
import { type Simulator, startSimulator } from "./simulator.ts";

const password = "correct horse battery staple";
const newNetwork = { name_label: "Internal", name_description: "", MTU: 1500, tags: ["a"], other_config: { k: "v" } };
let simulator: Simulator;
let client: XapiClient;

beforeEach(async () => {
  simulator = await startSimulator({ password });
  client = new XapiClient({ url: simulator.url, username: "root", password, fingerprint: simulator.fingerprint });
});

afterEach(async () => {
  await client.close();
  await simulator.close();
});

async function firstGuest() {
  const [vm] = await vms.getByNameLabel(client, "Fedora server 1");
  if (vm === undefined) throw new Error("the simulator has no guest");
  return vm;
}

test("pool, host, PIF and VMs come with their types", async () => {
  const pool = await pools.getPool(client);
  const [host] = await hosts.getAllRecords(client);
  expect(pool).toMatchObject({ uuid: simulator.poolUuid, master: host?.ref });
  expect(host).toMatchObject({ uuid: simulator.hostUuid, API_version_major: 2 });
  const machines = (await vms.getAllRecords(client)).filter(vms.isMachine);
  expect(machines.map((vm) => vm.name_label).sort()).toStrictEqual(["Fedora server 1", "Fedora server 2"]);
  expect(await firstGuest()).toMatchObject({ power_state: "Halted", domid: -1 });
});

test("a network is created, changed in each of its fields, and gone after its end", async () => {
  const ref = await networks.create(client, newNetwork);
  await networks.setNameLabel(client, ref, "Renamed <&>");
  await networks.setNameDescription(client, ref, "two\r\nlines");
  await networks.setMtu(client, ref, 9000);
  await networks.setTags(client, ref, ["b", "c"]);
  await networks.setOtherConfig(client, ref, "k", "changed");
  await networks.setOtherConfig(client, ref, "new", "");
  const network = await networks.getRecord(client, ref);
  expect(network).toMatchObject({ name_label: "Renamed <&>", name_description: "two\r\nlines", MTU: 9000 });
  expect(network.other_config).toStrictEqual({ k: "changed", new: "" });
  expect([...network.tags].sort()).toStrictEqual(["b", "c"]);
  await expect(networks.addToOtherConfig(client, ref, "k", "x")).rejects.toSatisfy((error) =>
    hasXapiCode(error, "MAP_DUPLICATE_KEY"),
  );
  await networks.removeFromOtherConfig(client, ref, "k");
  await networks.removeFromOtherConfig(client, ref, "k");
  expect((await networks.getByUuid(client, network.uuid))?.other_config).toStrictEqual({ new: "" });
  await networks.destroy(client, ref);
  expect(await networks.getByUuid(client, network.uuid)).toBeUndefined();
  await expect(networks.destroy(client, ref)).rejects.toSatisfy(isGone);
});

describe("a VIF", () => {
  async function plugged() {
    const vm = await firstGuest();
    await client.call("VM.start", vm.ref, false, false);
    const network = await networks.create(client, newNetwork);
    const [device = ""] = await vms.getAllowedVifDevices(client, vm.ref);
    const ref = await vifs.create(client, { VM: vm.ref, network, device, MAC: "", other_config: { mark: "1" } });
    await vifs.plug(client, ref);
    return { vm, network, device, ref };
  }

  test("of a running VM is plugged, moved, and unplugged, leaving no task behind", async () => {
    const { network, device, ref } = await plugged();
    expect(device).toBe("1");
    const vif = await vifs.getRecord(client, ref);
    expect(vif).toMatchObject({ network, currently_attached: true, other_config: { mark: "1" }, device: "1" });
    const other = await networks.create(client, newNetwork);
    await vifs.move(client, ref, other);
    expect(await vifs.getByUuid(client, vif.uuid)).toMatchObject({ network: other, MAC: vif.MAC });
    await vifs.unplug(client, ref);
    await vifs.destroy(client, ref);
    expect(await vifs.getByUuid(client, vif.uuid)).toBeUndefined();
    expect(await client.call("task.get_all")).toStrictEqual([]);
  });

  test("gets an address, and gives it back", async () => {
    const { ref } = await plugged();
    await vifs.configureIpv4(client, ref, { address: "192.168.100.11/24", gateway: "192.168.100.1" });
    const address = { ipv4_addresses: ["192.168.100.11/24"], ipv4_gateway: "192.168.100.1" };
    expect(await vifs.getRecord(client, ref)).toMatchObject({ ipv4_configuration_mode: "Static", ...address });
    await vifs.configureIpv4(client, ref, undefined);
    expect(await vifs.getRecord(client, ref)).toMatchObject({ ipv4_configuration_mode: "None" });
  });

  test("that is already plugged fails by XAPI's code, and the task is removed", async () => {
    const { ref } = await plugged();
    await expect(vifs.plug(client, ref)).rejects.toMatchObject({ xapiCode: "DEVICE_ALREADY_ATTACHED" });
    expect(await client.call("task.get_all")).toStrictEqual([]);
  });

  test("on a device that is taken names the device", async () => {
    const { vm, network, device } = await plugged();
    const again = vifs.create(client, { VM: vm.ref, network, device, MAC: "", other_config: {} });
    await expect(again).rejects.toMatchObject({ message: expect.stringContaining("already has a VIF on device 1") });
  });
});

test("a task that does not end is given up at its deadline, and cancelled", async () => {
  let letGo = () => {};
  const stuck = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const plugVif = (vif: SimVif) => (vif.device === "0" ? Promise.resolve() : stuck);
  const backplane = { ...nullBackplane, plugVif };
  const slow = await startSimulator({ password, backplane });
  const impatient = new XapiClient({ url: slow.url, username: "root", password, fingerprint: slow.fingerprint });
  try {
    const [vm] = await vms.getByNameLabel(impatient, "Fedora server 1");
    const VM = vm?.ref ?? "";
    await impatient.call("VM.start", VM, false, false);
    const network = await networks.create(impatient, newNetwork);
    const vif = await vifs.create(impatient, { VM, network, device: "1", MAC: "", other_config: {} });
    const plug = vifs.plug(impatient, vif, 200);
    await expect(plug).rejects.toMatchObject({ code: "XAPI_TIMEOUT", message: expect.stringContaining("0.2 s") });
    expect(slow.countCalls("task.cancel")).toBe(1);
  } finally {
    letGo();
    await impatient.close();
    await slow.close();
  }
});

describe("over a bad connection", () => {
  test("a hundred parallel calls share one session over its expiry, and leave none", async () => {
    await client.call("pool.get_all");
    simulator.faults.expireSessionsAfter(50);
    await Promise.all(Array.from({ length: 100 }, () => client.call("network.get_all")));
    expect(client.counters.logins).toBe(2);
    await client.close();
    expect(simulator.openSessions()).toBe(0);
  });

  test("a network whose creation was not answered exists once, and the error says so", async () => {
    simulator.faults.loseReply("network.create");
    await expect(networks.create(client, newNetwork)).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
    expect(simulator.countCalls("network.create")).toBe(1);
    const found = (await networks.getAllRecords(client)).filter((network) => network.other_config["k"] === "v");
    expect(found).toHaveLength(1);
  });

  test("reading goes on after lost replies, dropped connections and a restart of the host's toolstack", async () => {
    await pools.getPool(client);
    simulator.faults.loseReply("pool.get_all_records");
    expect((await pools.getPool(client)).uuid).toBe(simulator.poolUuid);
    simulator.faults.dropConnection("pool.get_all_records");
    expect((await pools.getPool(client)).uuid).toBe(simulator.poolUuid);
    await simulator.restart();
    expect((await pools.getPool(client)).uuid).toBe(simulator.poolUuid);
  });

  test("a login that was not answered is repeated", async () => {
    simulator.faults.loseReply("session.login_with_password");
    expect((await pools.getPool(client)).uuid).toBe(simulator.poolUuid);
  });
});

test("a pool member leads to its master, which it vouches for", async () => {
  const member = await startSimulator({ password, listen: { host: "127.0.0.3", port: simulator.port ?? 0 } });
  const viaMember = new XapiClient({ url: member.url, username: "root", password, fingerprint: member.fingerprint });
  try {
    member.faults.slaveOf("127.0.0.1", simulator.fingerprint);
    expect((await pools.getPool(viaMember)).uuid).toBe(simulator.poolUuid);
  } finally {
    await viaMember.close();
    await member.close();
  }
  expect(simulator.openSessions()).toBe(0);
});

test("a wrong password is one login on the host", async () => {
  const wrong = new XapiClient({
    url: simulator.url,
    username: "root",
    password: "wrong-one",
    fingerprint: simulator.fingerprint,
  });
  const calls = await Promise.allSettled([pools.getPool(wrong), networks.getAllRecords(wrong)]);
  expect(calls).toMatchObject([{ reason: { code: "XAPI_AUTH_FAILED" } }, { reason: { code: "XAPI_AUTH_FAILED" } }]);
  expect(simulator.countCalls("session.login_with_password")).toBe(1);
  await wrong.close();
});

test("a process that forgets to close the client logs out and ends by itself", async () => {
  const program = fileURLToPath(new URL("xapi-client-program.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program], { stdio: ["pipe", "inherit", "inherit"] });
  child.stdin.end(
    JSON.stringify({ url: simulator.url, username: "root", password, fingerprint: simulator.fingerprint }),
  );
  const [status] = await once(child, "exit", { signal: AbortSignal.timeout(15_000) });
  expect(status).toBe(0);
  expect(simulator.countCalls("pool.get_all_records")).toBe(1);
  expect(simulator.countCalls("session.logout")).toBe(1);
  expect(simulator.openSessions()).toBe(0);
});
