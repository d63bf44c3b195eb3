import { expect, test } from "vitest";
import { type Client, connect, jsonCall, password, post, simulate, vifRecord, vmByName, xmlCall } from "./fixtures.ts";
import type { SimulatedHost, Value } from "./simulator.ts";

async function poolOfTwo(profile?: "xcp-ng-8.2") {
  const simulator = await simulate({ hosts: 2, ...(profile === undefined ? {} : { profile }) });
  const [first, second] = simulator.hosts as readonly [SimulatedHost, SimulatedHost];
  const client = await connect(simulator);
  const hosts = await client.call<Record<string, Record<string, Value>>>("host.get_all_records");
  const refOf = ({ hostUuid }: SimulatedHost) =>
    Object.keys(hosts).find((ref) => hosts[ref]?.["uuid"] === hostUuid) ?? "";
  return { simulator, first, second, client, hosts, refs: [refOf(first), refOf(second)] as const };
}

/** Starts both guests, one on each host. */
async function startGuests(client: Client, refs: readonly [string, string]) {
  const vms = [await vmByName(client, "Fedora server 1"), await vmByName(client, "Fedora server 2")] as const;
  await client.call("VM.start_on", vms[0], refs[0], false, false);
  await client.call("VM.start_on", vms[1], refs[1], false, false);
  return vms;
}

test("a pool of two has a NIC of each host on the pool-wide network, and each host its own dom0", async () => {
  const { simulator, first, second, client, hosts, refs } = await poolOfTwo();
  expect([first.address, second.address]).toEqual(["127.0.0.1", "127.0.0.2"]);
  expect(second.port).toBe(first.port);
  expect(second.fingerprint).not.toBe(first.fingerprint);
  expect(refs.map((ref) => hosts[ref]?.["address"])).toEqual(["127.0.0.1", "127.0.0.2"]);
  const pifs = await client.call<Record<string, Record<string, Value>>>("PIF.get_all_records");
  expect(Object.values(pifs).map((pif) => pif["host"])).toEqual([...refs]);
  expect(new Set(Object.values(pifs).map((pif) => pif["network"])).size).toBe(1);
  expect(new Set(Object.values(hosts).map((host) => host["control_domain"])).size).toBe(2);
  expect(simulator.hostUuid).toBe(first.hostUuid);
});

test("the member sends logins and sessions of the pool to the master's address", async () => {
  const { second, client } = await poolOfTwo();
  const login = xmlCall(second, "session.login_with_password", "root", password);
  await expect(login).rejects.toThrow("HOST_IS_SLAVE 127.0.0.1");
  await expect(xmlCall(second, "pool.get_all", client.session)).rejects.toThrow("HOST_IS_SLAVE 127.0.0.1");
});

test.each([
  ["xcp-ng-8.3", undefined],
  ["xcp-ng-8.2", "xcp-ng-8.2"],
] as const)("a member of %s vouches for its master only where that release does", async (name, profile) => {
  const { first, second } = await poolOfTwo(profile);
  const method = "session.login_with_password";
  const body = JSON.stringify({ jsonrpc: "2.0", method, params: ["root", password], id: 1 });
  const reply = await post(second, "/jsonrpc", body, {
    "content-length": String(Buffer.byteLength(body)),
    "x-xenapi-request-host-certificate-thumbprint": "sha-256:master",
  });
  const announced = reply.headers["x-xenapi-response-host-certificate-thumbprint"];
  expect(announced).toBe(name === "xcp-ng-8.3" ? first.fingerprint : undefined);
});

test("a change of master ends the sessions and turns the redirect round, and guests run on", async () => {
  const { simulator, first, second, client, refs } = await poolOfTwo();
  const [vm] = await startGuests(client, refs);
  simulator.faults.newMaster(1);
  expect(simulator.openSessions()).toBe(0);
  await expect(xmlCall(first, "pool.get_all", client.session)).rejects.toThrow("HOST_IS_SLAVE 127.0.0.2");
  await expect(xmlCall(second, "pool.get_all", client.session)).rejects.toThrow("SESSION_INVALID");
  const again = await connect(second);
  const [pool] = Object.values(await again.call<Record<string, Record<string, Value>>>("pool.get_all_records"));
  expect(pool).toMatchObject({ uuid: simulator.poolUuid, master: refs[1] });
  expect(await again.call("VM.get_power_state", vm)).toBe("Running");
  simulator.faults.newMaster(0);
  await connect(first);
});

test("what was asked of whom is recorded", async () => {
  const { simulator, second } = await poolOfTwo();
  await jsonCall(second, "session.login_with_password", ["root", password]);
  expect(simulator.calls.map(({ host, method }) => [host, method])).toEqual([
    [0, "session.login_with_password"],
    [0, "host.get_all_records"],
    [1, "session.login_with_password"],
  ]);
});

test("a guest runs where it was started, by its affinity, or on the master", async () => {
  const { client, refs } = await poolOfTwo();
  const [vm, other] = await startGuests(client, refs);
  expect(await client.call("VM.get_resident_on", other)).toBe(refs[1]);
  await client.call("VM.hard_shutdown", vm);
  await client.call("VM.start", vm, false, false);
  expect(await client.call("VM.get_resident_on", vm)).toBe(refs[0]);
  await client.call("VM.hard_shutdown", vm);
  await client.call("VM.set_affinity", vm, refs[1]);
  await client.call("VM.start", vm, false, false);
  expect(await client.call("host.get_resident_VMs", refs[1])).toEqual(expect.arrayContaining([vm, other]));
});

test("a reboot of the member stops its guests only and leaves the sessions alone", async () => {
  const { simulator, client, refs } = await poolOfTwo();
  const [vm, other] = await startGuests(client, refs);
  await simulator.hostRebooted(1);
  expect(await client.call("VM.get_power_state", vm)).toBe("Running");
  expect(await client.call("VM.get_power_state", other)).toBe("Halted");
});

test("a network without a PIF is on one host at a time", async () => {
  const { client, refs } = await poolOfTwo();
  const [vm, other] = await startGuests(client, refs);
  const network = await client.call<string>("network.create", { other_config: {} });
  const vif = await client.call<string>("VIF.create", vifRecord(vm, network, "1"));
  await client.call("VIF.plug", vif);
  const [elsewhere = ""] = await client.call<string[]>("VM.get_VIFs", other);
  const move = client.call("VIF.move", elsewhere, network);
  await expect(move).rejects.toThrow(`HOST_CANNOT_ATTACH_NETWORK ${refs[1]} ${network}`);
  await client.call("VM.hard_shutdown", other);
  await client.call("VIF.move", elsewhere, network);
  const start = client.call("VM.start_on", other, refs[1], false, false);
  await expect(start).rejects.toThrow(`VM_REQUIRES_NETWORK ${other} ${network}`);
  await client.call("VM.start_on", other, refs[0], false, false);
});
