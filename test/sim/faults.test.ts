import { expect, test } from "vitest";
import { connect, jsonCall, password, post, simulate, xmlCall } from "./fixtures.ts";

test("a lost reply leaves the call done and the connection closed", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  simulator.faults.loseReply("network.create");
  await expect(call("network.create", { other_config: {}, name_label: "done" })).rejects.toThrow("socket hang up");
  expect(await call("network.get_by_name_label", "done")).toHaveLength(1);
  await call("network.create", { other_config: {} });
});

test("a dropped connection leaves the call undone", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  simulator.faults.dropConnection("network.create", 2);
  const create = () => call("network.create", { other_config: {}, name_label: "undone" });
  await expect(create()).rejects.toThrow("socket hang up");
  await expect(create()).rejects.toThrow("socket hang up");
  expect(await call("network.get_by_name_label", "undone")).toEqual([]);
  await create();
});

test("a planned failure meets the synchronous and the asynchronous form, as often as planned, and does nothing", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  simulator.faults.fail("network.create", "OTHER_OPERATION_IN_PROGRESS", ["network", "x"], 2);
  const create = (method: string) => call(method, { other_config: {} });
  await expect(create("network.create")).rejects.toThrow("OTHER_OPERATION_IN_PROGRESS network x");
  await expect(create("Async.network.create")).rejects.toThrow("OTHER_OPERATION_IN_PROGRESS");
  expect(await call("network.get_all")).toHaveLength(2);
  await create("network.create");
});

test("a delayed call starts later", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  simulator.faults.delay("pool.get_all", 150);
  const before = performance.now();
  await call("pool.get_all");
  expect(performance.now() - before).toBeGreaterThanOrEqual(149);
});

test("sessions expire after so many calls, and a new login works", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  simulator.faults.expireSessionsAfter(2);
  await call("pool.get_all");
  await call("pool.get_all");
  await expect(call("pool.get_all")).rejects.toThrow("SESSION_INVALID");
  const again = await connect(simulator);
  await again.call("pool.get_all");
});

test("sessions can be made to expire at once", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  simulator.faults.expireSessionsAfter(0);
  await expect(call("pool.get_all")).rejects.toThrow("SESSION_INVALID");
});

test("a pool member sends logins and foreign sessions to its master", async () => {
  const [master, member] = [await simulate(), await simulate()];
  const { session, call } = await connect(master);
  member.faults.slaveOf("127.0.0.1");
  const login = xmlCall(member, "session.login_with_password", "root", password);
  await expect(login).rejects.toThrow("HOST_IS_SLAVE 127.0.0.1");
  await expect(xmlCall(member, "pool.get_all", session)).rejects.toThrow("HOST_IS_SLAVE 127.0.0.1");
  expect(await call("pool.get_all")).toHaveLength(1);
  member.faults.slaveOf(undefined);
  await connect(member);
});

test("a client that asks gets the master's fingerprint with the redirect", async () => {
  const [master, member] = [await simulate(), await simulate()];
  member.faults.slaveOf("127.0.0.1", master.fingerprint);
  const body = JSON.stringify({
    jsonrpc: "2.0",
    method: "session.login_with_password",
    params: ["root", password],
    id: 1,
  });
  const reply = await post(member, "/jsonrpc", body, {
    "content-length": String(Buffer.byteLength(body)),
    "x-xenapi-request-host-certificate-thumbprint": "sha-256:master",
  });
  expect(JSON.parse(reply.body)).toMatchObject({ error: { message: "HOST_IS_SLAVE", data: ["127.0.0.1"] } });
  expect(reply.headers["x-xenapi-response-host-certificate-thumbprint"]).toBe(master.fingerprint);
});

test("clearing takes back every plan", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  simulator.faults.fail("pool.get_all", "HOST_STILL_BOOTING");
  simulator.faults.loseReply("pool.get_all");
  simulator.faults.expireSessionsAfter(1);
  simulator.faults.slaveOf("127.0.0.1");
  simulator.faults.clear();
  await call("pool.get_all");
  await call("pool.get_all");
  await connect(simulator);
});

test("the profile may suddenly point at another pool", async () => {
  const simulator = await simulate();
  const [pool = ""] = await simulator.admin.call<string[]>("pool.get_all");
  const uuid = "22222222-0000-4000-8000-000000000001";
  simulator.admin.modify("pool", pool, { uuid });
  const { result: session } = await jsonCall(simulator, "session.login_with_password", ["root", password]);
  expect(await jsonCall(simulator, "pool.get_uuid", [session as string, pool])).toMatchObject({ result: uuid });
});

test("whoever looks at each call may cut it before it takes effect, or its reply", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  const create = (name: string) => call("network.create", { other_config: {}, name_label: name });
  const seen: string[] = [];
  const cutting = (moment: "before" | "after") =>
    simulator.faults.intercept(({ method, writing }, when) => {
      seen.push(`${when} ${method}${writing ? ", which writes" : ""}`);
      return when === moment ? "cut" : "go";
    });
  cutting("before");
  await expect(create("undone")).rejects.toThrow("socket hang up");
  cutting("after");
  await expect(create("done")).rejects.toThrow("socket hang up");
  simulator.faults.intercept();
  expect(await call("network.get_by_name_label", "undone")).toEqual([]);
  expect(await call("network.get_by_name_label", "done")).toHaveLength(1);
  const one = "network.create, which writes";
  expect(seen).toEqual([`before ${one}`, `before ${one}`, `after ${one}`]);
});
