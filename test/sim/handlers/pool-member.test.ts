import { expect, test } from "vitest";
import { xenNetworkHandler as networks } from "../../../provider/src/handlers/network/xen-network.ts";
import { xenVifHandler as vifs } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";
import { checked, makeNetwork, web1 } from "./vif-under-test.ts";

const adminNetwork = { owner: urnOf("XenNetwork", "Internal network"), nameLabel: "Internal network" };

/** A provider process whose profile names the member of a pool of two. */
function byMember(pool: PoolUnderTest) {
  const [, member] = pool.simulator.hosts;
  if (member === undefined) throw new Error("the simulated pool has one host");
  return pool.newProcess({ url: member.url, fingerprint: member.fingerprint });
}

test("a profile that names a member works on the pool by way of its master, under the same ids", async () => {
  await using pool = await startPool({ hosts: 2 });
  const viaMember = byMember(pool);
  const network = await makeNetwork(pool);
  const [, uuid = ""] = network.split("/");
  const read = await networks.read(viaMember, network, { ...adminNetwork, uuid });
  expect(read.id).toBe(network);
  const inputs = await checked(viaMember, { ...web1, device: "1", network });
  const { id, outs } = await vifs.create(viaMember, inputs);
  expect(await pool.record("VIF", String(outs["uuid"]))).toMatchObject({ device: "1" });
  expect((await vifs.read(pool.newProcess(), id, outs)).id).toBe(id);
  const writers = pool.simulator.calls.filter((call) => call.writing && !call.method.startsWith("session."));
  expect(new Set(writers.map((call) => call.host))).toEqual(new Set([0]));
});

test("an open session survives a change of master: reads and writes go on at the new one, and nothing is made twice", async () => {
  await using pool = await startPool({ hosts: 2 });
  const network = await makeNetwork(pool);
  const inputs = await checked(pool.host, { ...web1, device: "1", network });
  const { id, outs } = await vifs.create(pool.host, inputs);
  pool.simulator.faults.newMaster(1);
  const read = await vifs.read(pool.host, id, outs);
  expect(read.id).toBe(id);
  const news = await checked(pool.host, { ...web1, device: "1", network, otherConfig: { theme: "blue" } });
  await vifs.update(pool.host, id, read.props, news);
  expect(await pool.record("VIF", String(outs["uuid"]))).toMatchObject({ other_config: { theme: "blue" } });
  const second = await checked(pool.host, { ...web1, owner: urnOf("XenVif", "other"), device: "2", network });
  const made = await vifs.create(pool.host, second);
  await vifs.delete(pool.host, made.id, made.outs);
  await vifs.delete(pool.host, id, outs);
  expect((await vifs.read(pool.newProcess(), id, outs)).id).toBe("");
});
