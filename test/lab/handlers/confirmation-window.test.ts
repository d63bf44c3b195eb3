import { expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Host } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { type Declared, declareForwarding, declareGuests, forwardInputs } from "./declared-host.ts";
import { type provider, sharedHost, urnOf } from "./host-under-test.ts";

let host: Host;
let run: ReturnType<typeof provider>;
let network: Declared;

sharedHost(async (lab, labRun) => {
  [host, run] = [lab, labRun];
  network = await declareGuests(host, run.process());
});

const windowOf = (seconds: number) => run.process({ XENNET_CONFIRMATION_WINDOW: String(seconds) });

test("a change is taken back after the window that the profile sets", async () => {
  const context = windowOf(200);
  await context.hostUuid();
  // The confirmation asks this, and takes long over it.
  host.simulator.faults.delay("pool.get_all_records", 3000, 1);
  const making = declareForwarding(context, network);
  const left = async () => {
    const { stdout } = await host.lab.runInDom0("cat /etc/xennet/pending; cat /proc/uptime");
    const [, deadline, uptime] = /^\d+ \S+ (\d+)\n(\d+)/.exec(stdout) ?? [];
    return deadline === undefined ? 0 : Number(deadline) - Number(uptime);
  };
  await expect.poll(left, { timeout: 60_000, interval: 200 }).toBeGreaterThan(190);
  expect(await left()).toBeLessThanOrEqual(200);
  const { id, outs } = await making;
  expect((await host.lab.runInDom0("cat /etc/xennet/pending")).status).not.toBe(0);
  await hostForwardingHandler.delete(run.process(), id, outs);
});

test("with high availability on, a window above a third of its time-out is refused, and nothing changes", async () => {
  const { admin } = host.simulator;
  const [pool = ""] = await admin.call<string[]>("pool.get_all");
  const nat = await declareForwarding(run.process(), network);
  admin.modify("pool", pool, { ha_enabled: true, ha_configuration: { timeout: "45" } });
  const before = await captureHost(host.lab, host.simulator);
  const inputs = { owner: urnOf("HostForwarding", "nat"), network: network.id, address: "192.168.100.1/24" };
  const forward = forwardInputs("p8080", nat, { externalPort: 8080, target: "192.168.100.11" });
  const refused = /^expected xennet:confirmationWindow of 15 s at most, .* found 30 s\./;
  for (const [handler, news] of [[hostForwardingHandler, inputs] as const, [portForwardHandler, forward] as const]) {
    const { failures } = await handler.check(run.process(), {}, news);
    expect(failures).toEqual([{ property: "host", reason: expect.stringMatching(refused) }]);
    expect(failures[0]?.reason).toMatch(/\(CONFIRMATION_WINDOW\)$/);
  }
  const code = { code: "CONFIRMATION_WINDOW" };
  await expect(portForwardHandler.create(run.process(), forward)).rejects.toMatchObject(code);
  await expect(hostForwardingHandler.update(run.process(), nat.id, nat.outs, inputs)).rejects.toMatchObject(code);
  await expect(hostForwardingHandler.delete(run.process(), nat.id, nat.outs)).rejects.toMatchObject(code);
  expect((await hostForwardingHandler.read(run.process(), nat.id, nat.outs)).id).toBe(nat.id);
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);

  await hostForwardingHandler.delete(windowOf(15), nat.id, nat.outs);
  admin.modify("pool", pool, { ha_enabled: false, ha_configuration: {} });
});
