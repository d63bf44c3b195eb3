import { expect, test } from "vitest";
import { type Client, connect, jsonCall, simulate, vifRecord, vmByName } from "./fixtures.ts";
import type { Value } from "./simulator.ts";

interface Batch {
  readonly events: ReadonlyArray<{ class: string; operation: string; ref: string; snapshot?: Record<string, Value> }>;
  readonly valid_ref_counts: Record<string, number>;
  readonly token: string;
}

const from = (client: Client, classes: string[], token: string, timeout: number) =>
  // The xmlrpc package writes a whole number as <int>, which XAPI takes as a float too.
  client.call<Batch>("event.from", classes, token, timeout);

async function poll(client: Client, task: string): Promise<Record<string, Value>> {
  let token = "";
  const deadline = Date.now() + 5000;
  while (Date.now() < deadline) {
    const record = await client.call<Record<string, Value>>("task.get_record", task);
    if (record["status"] !== "pending") return record;
    token = (await from(client, [`task/${task}`], token, 1)).token;
  }
  throw new Error("The task did not end within 5 s.");
}

test("an asynchronous call answers a task whose result is XML over either transport", async () => {
  const client = await connect(await simulate());
  const task = await client.call<string>("Async.network.create", { other_config: {}, name_label: "later" });
  const record = await poll(client, task);
  const [network] = await client.call<string[]>("network.get_by_name_label", "later");
  expect(record).toMatchObject({ status: "success", progress: 1, result: `<value>${network}</value>` });
  await client.call("task.destroy", task);
  await expect(client.call("task.get_status", task)).rejects.toThrow(`HANDLE_INVALID task ${task}`);
});

test("an asynchronous call that fails says so in its task", async () => {
  const client = await connect(await simulate());
  const vm = await vmByName(client, "Fedora server 1");
  const record = await poll(client, await client.call<string>("Async.VM.clean_shutdown", vm));
  expect(record).toMatchObject({ status: "failure", error_info: ["VM_BAD_POWER_STATE", vm, "running", "halted"] });
});

test("a reference that is gone fails in the task, not in the call that starts it", async () => {
  const client = await connect(await simulate());
  const record = await poll(client, await client.call<string>("Async.VIF.plug", "OpaqueRef:gone"));
  expect(record).toMatchObject({ status: "failure", error_info: ["HANDLE_INVALID", "VIF", "OpaqueRef:gone"] });
});

test("getters and setters have no asynchronous form", async () => {
  const client = await connect(await simulate());
  await expect(client.call("Async.network.get_all")).rejects.toThrow(/^Fault /);
});

test("the first batch adds everything of the wanted classes, and counts all of them", async () => {
  const simulator = await simulate();
  const client = await connect(simulator);
  const batch = await from(client, ["NETWORK"], "", 0);
  expect(batch.events.map((event) => [event.class, event.operation])).toEqual([
    ["network", "add"],
    ["network", "add"],
  ]);
  expect(batch.events[0]?.snapshot).toMatchObject({ bridge: "xenbr0", MTU: "1500" });
  expect(batch.valid_ref_counts).toMatchObject({ network: 2, vif: 2, task: 0 });
  expect(batch.token).toMatch(/^\d{20},\d{20}$/);
});

test("a new VIF is an addition, and a change of its VM and its network", async () => {
  const client = await connect(await simulate());
  const { token } = await from(client, ["*"], "", 0);
  const vm = await vmByName(client, "Fedora server 1");
  const [network = ""] = await client.call<string[]>("network.get_all");
  const vif = await client.call<string>("VIF.create", vifRecord(vm, network, "1"));
  const { events } = await from(client, ["*"], token, 0);
  expect(events.map((event) => [event.class, event.operation, event.ref])).toEqual([
    ["vif", "add", vif],
    ["network", "mod", network],
    ["vm", "mod", vm],
  ]);
});

test("an object that went is a deletion without a snapshot", async () => {
  const client = await connect(await simulate());
  const network = await client.call<string>("network.create", { other_config: {} });
  const { token } = await from(client, ["network"], "", 0);
  await client.call("network.destroy", network);
  const { events } = await from(client, ["network"], token, 0);
  expect(events).toEqual([expect.objectContaining({ operation: "del", ref: network })]);
  expect(events[0]).not.toHaveProperty("snapshot");
});

test("an object that came and went between two calls is not mentioned", async () => {
  const client = await connect(await simulate());
  const { token } = await from(client, ["network"], "", 0);
  await client.call("network.destroy", await client.call<string>("network.create", { other_config: {} }));
  expect((await from(client, ["network"], token, 0)).events).toEqual([]);
});

test("without a change the call waits and answers no events; with one it answers at once", async () => {
  const simulator = await simulate();
  const client = await connect(simulator);
  const { token } = await from(client, ["network"], "", 0);
  const before = performance.now();
  expect((await from(client, ["network"], token, 0.2)).events).toEqual([]);
  expect(performance.now() - before).toBeGreaterThanOrEqual(199);
  const waiting = from(client, ["network"], token, 30);
  await expect.poll(() => simulator.countCalls("event.from")).toBe(3);
  await simulator.admin.call("network.create", { other_config: {} });
  expect((await waiting).events).toHaveLength(1);
});

test("a client that waits learns that its session ended", async () => {
  const simulator = await simulate();
  const client = await connect(simulator);
  const { token } = await from(client, ["network"], "", 0);
  const waiting = from(client, ["network"], token, 30);
  const ended = expect(waiting).rejects.toThrow("SESSION_INVALID");
  await expect.poll(() => simulator.countCalls("event.from")).toBe(2);
  await client.call("session.logout");
  await ended;
});

test("event.inject makes an object count as changed", async () => {
  const client = await connect(await simulate());
  const { token } = await from(client, ["pool"], "", 0);
  const [pool = ""] = await client.call<string[]>("pool.get_all");
  await client.call("event.inject", "pool", pool);
  expect((await from(client, ["pool"], token, 0)).events).toMatchObject([{ operation: "mod", ref: pool }]);
});

test("what is no token and no subscription is refused", async () => {
  const client = await connect(await simulate());
  await expect(from(client, ["network"], "then", 0)).rejects.toThrow("EVENT_FROM_TOKEN_PARSE_FAILURE then");
  await expect(from(client, ["vm/a/b"], "", 0)).rejects.toThrow("EVENT_SUBSCRIPTION_PARSE_FAILURE vm/a/b");
});

test("events read the same over JSON", async () => {
  const simulator = await simulate();
  const { session } = await connect(simulator);
  const { result } = await jsonCall(simulator, "event.from", [session, ["pool"], "", 0]);
  expect(result).toMatchObject({
    events: [{ class: "pool", operation: "add", snapshot: { uuid: simulator.poolUuid, ha_plan_exists_for: 0 } }],
    valid_ref_counts: { pool: 1 },
  });
});
