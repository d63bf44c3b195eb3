import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { normalisedNetwork } from "../../../provider/src/handlers/network/check.ts";
import { xenNetworkHandler as handler } from "../../../provider/src/handlers/network/xen-network.ts";
import { OneResourceStack } from "../lifecycle/one-resource-stack.ts";
import { poolRecords } from "../lifecycle/pool-records.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";
import { deviceZero, startVm } from "./vif-under-test.ts";

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

test("a new MTU says how many plugged VIFs do not have it yet, and nothing where none is plugged", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network" });
  const { id, outs } = await handler.create(pool.host, inputs);
  await handler.update(pool.host, id, outs, { ...inputs, mtu: 9000 });
  expect(pool.warnings).toEqual([]);
  await startVm(pool);
  const network = await pool.simulator.admin.call<string>("network.get_by_uuid", String(outs["uuid"]));
  await pool.simulator.admin.call("VIF.move", (await deviceZero(pool)).ref, network);
  await handler.update(pool.newProcess(), id, { ...outs, mtu: 9000 }, { ...inputs, mtu: 1400 });
  expect(pool.warnings.join()).toMatch(/Network "Internal network": the MTU of 1400 bytes .*; 1 plugged now/);
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

test("refuses an id of another pool instead of calling it gone, or the same", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network" });
  const { id, outs } = await handler.create(pool.host, inputs);
  await using other = await startPool();
  const elsewhere = { code: "PROFILE_POINTS_ELSEWHERE" };
  await expect(handler.read(other.host, id, outs)).rejects.toMatchObject(elsewhere);
  await expect(handler.diff(other.host, id, outs, inputs)).rejects.toMatchObject(elsewhere);
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

test("forceDestroy lists every VIF, unplugs those that run, and deletes all of them with the network", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network", forceDestroy: true });
  const { id, outs } = await handler.create(pool.host, inputs);
  const network = await pool.simulator.admin.call<string>("network.get_by_uuid", String(outs["uuid"]));
  const vms = [await pool.vmNamed("Fedora server 1"), await pool.vmNamed("Fedora server 2")];
  const vifs = [];
  for (const VM of vms) {
    const place = { device: "3", network, VM, MAC: "", MTU: 1500, other_config: {} };
    const qos = { qos_algorithm_type: "", qos_algorithm_params: {} };
    vifs.push(await pool.simulator.admin.call<string>("VIF.create", { ...place, ...qos }));
  }
  await pool.simulator.admin.call("VM.start", vms[0] ?? "", false, false);
  const expected = await Promise.all(
    vifs.map(async (ref, at) => {
      const record = await pool.simulator.admin.call<Props>("VIF.get_record", ref);
      return `device 3 of "Fedora server ${at + 1}" (${record["uuid"]}, MAC ${record["MAC"]})`;
    }),
  );
  const first = pool.writingCalls();
  await handler.delete(pool.newProcess(), id, outs);
  expect(pool.writtenSince(first)).toEqual(["VIF.unplug", "network.destroy"]);
  expect(pool.warnings).toHaveLength(1);
  for (const text of expected) expect(pool.warnings[0]).toContain(text);
  for (const ref of vifs) {
    await expect(pool.simulator.admin.call("VIF.get_record", ref)).rejects.toThrow("HANDLE_INVALID");
  }
});

test("shows the VIFs and interfaces of a network, sorted, and they are no change", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network" });
  const { id, outs } = await handler.create(pool.host, inputs);
  expect(outs).toMatchObject({ vifUuids: [], pifUuids: [], managed: true, defaultLockingMode: "unlocked" });
  const network = await pool.simulator.admin.call<string>("network.get_by_uuid", String(outs["uuid"]));
  const uuids: string[] = [];
  for (const device of ["3", "4"]) {
    const place = { device, network, VM: await pool.vmNamed("Fedora server 1"), MAC: "", MTU: 1500, other_config: {} };
    const vif = await pool.simulator.admin.call<string>("VIF.create", {
      ...{ ...place, qos_algorithm_type: "", qos_algorithm_params: {} },
    });
    uuids.push(await pool.simulator.admin.call("VIF.get_uuid", vif));
  }
  const read = await handler.read(pool.newProcess(), id, outs);
  expect(read.props["vifUuids"]).toEqual(uuids.sort());
  expect(read.inputs).toEqual(inputs);
  for (const olds of [outs, read.props]) {
    expect(await handler.diff(pool.newProcess(), id, olds, inputs)).toMatchObject({ changes: false, replaces: [] });
  }
  const physical = {
    owner: urnOf("XenNetwork", "outside"),
    adopt: { nameLabel: "Pool-wide network associated with eth0" },
  };
  const adopted = await handler.create(pool.newProcess(), physical);
  const [pif = ""] = await pool.simulator.admin.call<string[]>("PIF.get_all");
  expect(adopted.outs["pifUuids"]).toEqual([await pool.simulator.admin.call("PIF.get_uuid", pif)]);
});

test("an adopted network whose keys were all removed by hand is marked anew, with the true former values", async () => {
  await using pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  const before = await poolRecords(pool);
  const declared = { owner, adopt: true, nameLabel: "Pool-wide network associated with eth0", automatic: false };
  await stack.up(declared);
  await stack.up({ ...declared, nameDescription: "Outside" });
  const ref = await pool.simulator.admin.call<string>("network.get_by_uuid", stack.uuid);
  await pool.simulator.admin.call("network.set_other_config", ref, {});
  await stack.refresh();
  expect(stack.state?.inputs).toMatchObject({ owner: "" });
  expect(await stack.up({ ...declared, nameDescription: "Outside" })).toBe("updated");
  expect((await pool.record("network", stack.uuid))["other_config"]).toMatchObject({ automatic: "false" });
  await stack.destroy();
  expect(await poolRecords(pool)).toEqual(before);
});

test("a network that lost its marks is not given back and not deleted", async () => {
  await using pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  await stack.up({ owner, nameLabel: "Internal network" });
  const { uuid } = stack;
  const ref = await pool.simulator.admin.call<string>("network.get_by_uuid", uuid);
  await pool.simulator.admin.call("network.set_other_config", ref, {});
  const first = pool.writingCalls();
  await stack.destroy();
  expect(pool.writtenSince(first)).toEqual([]);
  expect(await pool.record("network", uuid)).toBeDefined();
});

test.each([
  ["its own UUID", async (pool: PoolUnderTest) => ({ adopt: { uuid: await uuidOf(pool, "Theirs") } }), []],
  ["the name it is given, with adopt: true", async () => ({ adopt: true, nameLabel: "Renamed" }), []],
  ["another network", async () => ({ adopt: { nameLabel: "Others'" } }), ["adopt"]],
  ["another network by adopt: true", async () => ({ adopt: true, nameLabel: "Others'" }), ["adopt"]],
  ["a network to be made", async () => ({ nameLabel: "Made" }), ["adopt"]],
])("a declaration that now means %s is answered accordingly", async (_, later, replaces) => {
  await using pool = await startPool();
  for (const name_label of ["Theirs", "Others'"]) {
    await pool.simulator.admin.call("network.create", { name_label, other_config: {} });
  }
  const first = await checked(pool, { adopt: { nameLabel: "Theirs" }, mtu: 1400 });
  const { id, outs } = await handler.create(pool.newProcess(), first);
  const news = normalisedNetwork({ owner, mtu: 1400, ...(await later(pool)) });
  const answer = await handler.diff(pool.newProcess(), id, outs, news);
  expect(answer).toEqual({ changes: true, replaces, deleteBeforeReplace: true });
});

test("a bridge of its own is kept when it is not declared any more, and another one replaces", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network", bridge: "lan7" });
  const { id, outs } = await handler.create(pool.host, inputs);
  expect((await pool.record("network", String(outs["uuid"])))["bridge"]).toBe("lan7");
  const { bridge: _, ...without } = inputs;
  const replacesWith = async (news: Props) => (await handler.diff(pool.newProcess(), id, outs, news)).replaces;
  expect(await replacesWith(inputs)).toEqual([]);
  expect(await replacesWith(without)).toEqual([]);
  expect(await replacesWith({ ...inputs, bridge: "lan8" })).toEqual(["bridge"]);
  expect((await handler.read(pool.newProcess(), id, outs)).inputs).toEqual(inputs);
});

test("a replace passes while only this stack's own VIFs are on the network, a copied mark is none", async () => {
  await using pool = await startPool();
  const inputs = await checked(pool, { nameLabel: "Internal network" });
  const { id, outs } = await handler.create(pool.host, inputs);
  const network = await pool.simulator.admin.call<string>("network.get_by_uuid", String(outs["uuid"]));
  const vm = await pool.vmNamed("Fedora server 1");
  const mark = { "xennet:owner": urnOf("XenVif", "web1") };
  const place = { device: "3", network, VM: vm, MAC: "", MTU: 1500, other_config: mark };
  await pool.simulator.admin.call("VIF.create", { ...place, qos_algorithm_type: "", qos_algorithm_params: {} });
  const diff = () => handler.diff(pool.newProcess(), id, outs, { ...inputs, bridge: "lan8" });
  expect(await diff()).toMatchObject({ replaces: ["bridge"] });
  await pool.simulator.admin.call("VM.clone", vm, "Copy of server 1");
  await expect(diff()).rejects.toThrow(/not this stack's .*"Copy of server 1"/);
});

test.each([["xennet:owner"], ["xennet:incarnation"]])(
  "a network with a bridge of its own that lost its mark %s gets it back",
  async (mark) => {
    await using pool = await startPool();
    const inputs = await checked(pool, { nameLabel: "Internal network", bridge: "lan7" });
    const { id, outs } = await handler.create(pool.host, inputs);
    const ref = await pool.simulator.admin.call<string>("network.get_by_uuid", String(outs["uuid"]));
    const { other_config: marks } = await pool.record("network", String(outs["uuid"]));
    await pool.simulator.admin.call("network.remove_from_other_config", ref, mark);

    const process = pool.newProcess();
    const read = await handler.read(process, id, outs);
    const news = { ...inputs, owner };
    expect(await handler.check(process, read.inputs ?? {}, news)).toEqual({ inputs, failures: [] });
    expect(await handler.diff(process, id, read.props, inputs)).toMatchObject({ changes: true, replaces: [] });
    await handler.update(process, id, read.props, inputs);
    expect((await pool.record("network", String(outs["uuid"])))["other_config"]).toEqual(marks);

    // Who never declared it does not get it.
    await pool.simulator.admin.call("network.remove_from_other_config", ref, "xennet:owner");
    const stranger = await handler.check(pool.newProcess(), {}, { ...inputs, owner: urnOf("XenNetwork", "other") });
    expect(stranger.failures).toMatchObject([{ property: "bridge", reason: expect.stringMatching(/is free, found/) }]);
  },
);

test("two resources of one program cannot adopt one network or have one bridge", async () => {
  await using pool = await startPool();
  const host = pool.newProcess();
  const both = [
    { nameLabel: "x", bridge: "lan7" },
    { nameLabel: "Pool-wide network associated with eth0", adopt: true },
  ];
  for (const declared of both) {
    const [first, second] = [
      await handler.check(host, {}, { owner, ...declared }),
      await handler.check(host, {}, { owner: `${owner}2`, ...declared }),
    ];
    expect(first.failures).toEqual([]);
    expect(second.failures).toHaveLength(1);
    expect(second.failures[0]?.reason).toContain('this program\'s "internal" of stack shop/dev');
  }
});

test("a left-over that cannot become what is declared now is given back or destroyed, and no double stays", async () => {
  await using pool = await startPool();
  const before = await poolRecords(pool);
  const physical = {
    owner,
    host: "default",
    adopt: { nameLabel: "Pool-wide network associated with eth0" },
    automatic: false,
  };
  const made = { owner, nameLabel: "Internal network", automatic: false };
  const stack = new OneResourceStack(pool, handler);
  for (const declared of [physical, made, { ...made, bridge: "lan7" }, physical]) {
    stack.state = undefined;
    await stack.up(declared);
    const all = await pool.simulator.admin.call<Record<string, Props>>("network.get_all_records");
    const marked = Object.values(all).filter((record) => "xennet:owner" in (record["other_config"] as Props));
    expect(marked.map((record) => record["uuid"])).toEqual([stack.uuid]);
  }
  await stack.destroy();
  expect(await poolRecords(pool)).toEqual(before);
});

async function uuidOf(pool: PoolUnderTest, nameLabel: string): Promise<string> {
  const [ref = ""] = await pool.simulator.admin.call<string[]>("network.get_by_name_label", nameLabel);
  return pool.simulator.admin.call("network.get_uuid", ref);
}

test("a key named as what every object inherits is observed, and taken off an adopted network again", async () => {
  await using pool = await startPool();
  const { admin } = pool.simulator;
  const theirs = await admin.call<string>("network.create", {
    name_label: "Theirs",
    other_config: { a: "1" },
  } as never);
  const stack = new OneResourceStack(pool, handler);
  await stack.up({ owner, adopt: { nameLabel: "Theirs" }, otherConfig: { constructor: "x", toString: "y" } });
  expect(await admin.call("network.get_other_config", theirs)).toMatchObject({ constructor: "x", toString: "y" });
  await admin.call("network.remove_from_other_config", theirs, "constructor");
  await stack.refresh();
  expect(stack.state?.inputs["otherConfig"]).toEqual({ toString: "y" });
  await stack.destroy();
  expect(await admin.call("network.get_other_config", theirs)).toEqual({ a: "1" });
});
