import { expect, test } from "vitest";
import { Limit } from "../../../provider/src/core/limit.ts";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { vifRecord } from "../fixtures.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";
import { checked, makeNetwork } from "./vif-under-test.ts";

/** What is in the state of a stack that made these VIFs. */
async function stackOf100(pool: PoolUnderTest) {
  const { call } = pool.simulator.admin;
  const network = await makeNetwork(pool);
  const networkRef = await call<string>("network.get_by_uuid", network.split("/")[1] ?? "");
  const template = await pool.vmNamed("Fedora server 1");
  const stack: { id: string; inputs: Props; recorded: Props }[] = [];
  for (let number = 0; number < 20; number += 1) {
    const vm = `VM ${number}`;
    const vmRef = await call<string>("VM.clone", template, vm);
    for (const device of ["1", "2", "3", "4", "5"]) {
      const owner = urnOf("XenVif", `${vm} ${device}`);
      const otherConfig = { "xennet:owner": owner, "xennet:incarnation": "0123456789abcdef", mtu: "1400" };
      const ref = await call<string>("VIF.create", vifRecord(vmRef, networkRef, device, { other_config: otherConfig }));
      const uuid = await call<string>("VIF.get_uuid", ref);
      const inputs = { owner, vm, network, device, mtu: 1400 };
      stack.push({ id: `${pool.simulator.poolUuid}/${uuid}`, inputs, recorded: { incarnation: "0123456789abcdef" } });
    }
  }
  const host = pool.newProcess();
  for (const one of stack) one.inputs = await checked(host, one.inputs);
  return stack;
}

test("a refresh of 100 VIFs on 20 VMs, 8 at once, makes 10 XAPI calls at most, and an up after it writes nothing", async () => {
  await using pool = await startPool();
  const stack = await stackOf100(pool);
  const first = pool.simulator.countCalls();
  const host = pool.newProcess();
  const atOnce = new Limit(8);
  const reads = await Promise.all(
    stack.map(({ id, inputs, recorded }) => atOnce.run(() => handler.read(host, id, { ...inputs, ...recorded }))),
  );
  await host.close();
  const calls = pool.simulator.calls.slice(first).map((call) => call.method);
  expect(calls.length, calls.join(", ")).toBeLessThanOrEqual(10);
  const writing = pool.writingCalls();
  const next = pool.newProcess();
  for (const [index, { id, inputs }] of stack.entries()) {
    const read = reads[index];
    expect(read).toMatchObject({ id, props: inputs });
    expect(read).not.toHaveProperty("inputs");
    const { inputs: news, failures } = await handler.check(next, inputs, inputs);
    expect(failures).toEqual([]);
    expect(await handler.diff(next, id, read?.props ?? {}, news)).toMatchObject({ changes: false, replaces: [] });
  }
  expect(pool.writtenSince(writing)).toEqual([]);
});
