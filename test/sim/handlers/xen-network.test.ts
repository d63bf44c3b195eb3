import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler as handler } from "../../../provider/src/handlers/xen-network.ts";
import { startPool, urnOf } from "./pool-under-test.ts";

const owner = urnOf("XenNetwork", "internal");

async function checked(pool: Awaited<ReturnType<typeof startPool>>, given: Props): Promise<Props> {
  const { inputs, failures } = await handler.check(pool.host, {}, { owner, ...given });
  expect(failures).toEqual([]);
  return inputs;
}

test("creates the network with its marks in the very call that makes it", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network", mtu: 1400, tags: ["web"] });
  const { id, outs } = await handler.create(pool.host, inputs);
  expect(id).toBe(`${pool.simulator.poolUuid}/${outs["uuid"]}`);
  const record = await pool.record("network", String(outs["uuid"]));
  expect(record).toMatchObject({ name_label: "Internal network", MTU: 1400, tags: ["web"] });
  expect(record["other_config"]).toEqual({
    automatic: "false",
    "xennet:owner": owner,
    "xennet:incarnation": outs["incarnation"],
  });
  expect(outs["bridge"]).toBe(record["bridge"]);
  expect(pool.writingCalls()).toBe(1);
});

test("a second look finds nothing to change, and makes no writing call", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network", otherConfig: { a: "1" } });
  const { id, outs } = await handler.create(pool.host, inputs);
  const before = pool.writingCalls();
  const read = await handler.read(pool.host, id, outs);
  expect(read).toEqual({ id, props: outs, inputs });
  expect(await handler.diff(pool.host, id, read.props, inputs)).toMatchObject({ changes: false, replaces: [] });
  expect(pool.writingCalls()).toBe(before);
});

test.each([
  ["nameLabel", "Renamed", "name_label", "Renamed"],
  ["nameDescription", "New words", "name_description", "New words"],
  ["mtu", 9000, "MTU", 9000],
  ["tags", ["b", "a"], "tags", ["a", "b"]],
])("changes %s in place", async (property, value, field, expected) => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network" });
  const { id, outs } = await handler.create(pool.host, inputs);
  const news = { ...inputs, [property]: value };
  expect(await handler.diff(pool.host, id, outs, news)).toMatchObject({ changes: true, replaces: [] });
  const before = pool.writingCalls();
  const updated = await handler.update(pool.host, id, outs, news);
  expect(updated.outs["uuid"]).toBe(outs["uuid"]);
  expect((await pool.record("network", String(outs["uuid"])))[field]).toEqual(expected);
  expect(pool.writingCalls()).toBe(before + 1);
});

test("manages only the other_config keys it is given, and removes those that are not given any more", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network", otherConfig: { mine: "1", gone: "1" } });
  const { id, outs } = await handler.create(pool.host, inputs);
  const ref = await pool.simulator.admin.call<string>("network.get_by_uuid", String(outs["uuid"]));
  await pool.simulator.admin.call("network.add_to_other_config", ref, "XenCenter", "theirs");
  await handler.update(pool.host, id, outs, { ...inputs, otherConfig: { mine: "2" }, automatic: true });
  const config = (await pool.record("network", String(outs["uuid"])))["other_config"] as Props;
  expect(config).toMatchObject({ mine: "2", XenCenter: "theirs", automatic: "true", "xennet:owner": owner });
  expect(config).not.toHaveProperty("gone");
});

test("shows what was changed outside as inputs, so that the next up repairs exactly that", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network" });
  const { id, outs } = await handler.create(pool.host, inputs);
  const ref = await pool.simulator.admin.call<string>("network.get_by_uuid", String(outs["uuid"]));
  await pool.simulator.admin.call("network.set_name_label", ref, "Renamed by hand");
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read.inputs).toEqual({ ...inputs, nameLabel: "Renamed by hand" });
  expect(await handler.diff(pool.host, id, read.props, inputs)).toMatchObject({ changes: true, replaces: [] });
});

test("takes over what an interrupted create left, without making a double", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network" });
  pool.simulator.faults.loseReply("network.create");
  await expect(handler.create(pool.newProcess(), inputs)).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
  const { outs } = await handler.create(pool.newProcess(), inputs);
  const all = await pool.simulator.admin.call<Record<string, Props>>("network.get_all_records");
  const ours = Object.values(all).filter((record) => record["name_label"] === "Internal network");
  expect(ours.map((record) => record["uuid"])).toEqual([outs["uuid"]]);
  expect(ours[0]?.["other_config"]).toHaveProperty("xennet:incarnation", outs["incarnation"]);
});

test("does not take the network it is about to replace for a left-over", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network" });
  const first = await handler.create(pool.host, inputs);
  const second = await handler.create(pool.host, inputs);
  expect(second.id).not.toBe(first.id);
});

test("a network destroyed outside is gone, and deleting it again succeeds", async () => {
  await using pool = await startPool();
  const { id, outs } = await handler.create(pool.host, await checked(pool, { nameLabel: "Internal network" }));
  const ref = await pool.simulator.admin.call<string>("network.get_by_uuid", String(outs["uuid"]));
  await pool.simulator.admin.call("network.destroy", ref);
  const later = pool.newProcess();
  expect(await handler.read(later, id, outs)).toEqual({ id: "", props: {}, inputs: {} });
  await handler.delete(later, id, outs);
});

test("refuses to delete a network that has a foreign VIF, naming VM and device", async () => {
  await using pool = await startPool();
  const { id, outs } = await handler.create(pool.host, await checked(pool, { nameLabel: "Internal network" }));
  const vm = await pool.vmNamed("Fedora server 1");
  const network = await pool.simulator.admin.call<string>("network.get_by_uuid", String(outs["uuid"]));
  await pool.simulator.admin.call("VIF.create", {
    ...{ device: "3", network, VM: vm, MAC: "", MTU: 1500, other_config: {} },
    ...{ qos_algorithm_type: "", qos_algorithm_params: {} },
  });
  await expect(handler.delete(pool.newProcess(), id, outs)).rejects.toThrow(
    /"Internal network" is to be deleted.*device 3 of "Fedora server 1"/,
  );
  expect(await pool.record("network", String(outs["uuid"]))).toBeDefined();
});

test("leaves a network of a later life alone", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network" });
  const first = await handler.create(pool.host, inputs);
  await handler.create(pool.newProcess(), inputs);
  await handler.delete(pool.newProcess(), first.id, first.outs);
  expect(await pool.record("network", String(first.outs["uuid"]))).toBeDefined();
  expect(pool.warnings.join()).toContain("it was not deleted");
});

test("refuses an id of another pool instead of calling it gone", async () => {
  await using pool = await startPool();
  const { id, outs } = await handler.create(pool.host, await checked(pool, { nameLabel: "Internal network" }));
  await using other = await startPool();
  await expect(handler.read(other.host, id, outs)).rejects.toMatchObject({ code: "PROFILE_POINTS_ELSEWHERE" });
});

test.each([
  [{}, "nameLabel"],
  [{ nameLabel: "" }, "nameLabel"],
  [{ nameLabel: "x", mtu: 67 }, "mtu"],
  [{ nameLabel: "x", tags: "web" }, "tags"],
  [{ nameLabel: "x", otherConfig: { automatic: "true" } }, 'otherConfig["automatic"]'],
  [{ nameLabel: "x", namelabel: "y" }, "namelabel"],
])("refuses %j, naming %s", async (given, property) => {
  await using pool = await startPool();
  const { failures } = await handler.check(pool.host, {}, { owner, ...given });
  expect(failures.map((failure) => failure.property)).toEqual([property]);
  expect(pool.writingCalls()).toBe(0);
});

test("a wrong password or certificate is a failure of the check, and nothing was changed", async () => {
  await using pool = await startPool();
  const wrong = [{ password: "wrong" }, { fingerprint: "00".repeat(32) }];
  for (const given of wrong) {
    const { failures } = await handler.check(pool.newProcess(given), {}, { owner, nameLabel: "x" });
    expect(failures).toHaveLength(1);
    expect(failures[0]?.property).toBe("host");
  }
  expect(pool.writingCalls()).toBe(0);
});
