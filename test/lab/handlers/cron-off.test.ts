import { expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { startHost } from "../host.ts";
import { declareForwarding, declareGuests } from "./declared-host.ts";
import { provider } from "./host-under-test.ts";

test("a cron that is switched off is drift of the forwarding, and xennet status says what to do", async () => {
  await using host = await startHost({ dom0: "old" });
  await using run = provider(host);
  const nat = await declareForwarding(run.process(), await declareGuests(host, run.process()));
  const onDom0 = async (script: string) => {
    const { status, stdout, stderr } = await host.lab.runInDom0(script);
    expect({ status, stderr }, script).toEqual({ status: 0, stderr: "" });
    return stdout;
  };
  const drift = async () => {
    const { props } = await hostForwardingHandler.read(run.process(), nat.id, nat.outs);
    return props["drift"];
  };
  expect(await drift()).toEqual([]);
  expect(await onDom0("xennet status")).not.toContain("cron");

  await onDom0("/etc/init.d/crond stop; while [ -e /proc/$(cat /run/crond.pid)/exe ]; do sleep 0.1; done");
  expect(await drift()).toEqual(["cron is not running"]);
  expect(run.warnings.filter((text) => text.includes("cron"))).toEqual([
    expect.stringMatching(/^On this host cron is not running, .* run `service crond start`\.$/),
  ]);
  const { props } = await hostForwardingHandler.read(run.process(), nat.id, nat.outs);
  const updated = await hostForwardingHandler.update(run.process(), nat.id, nat.outs, props);
  expect(updated.outs["drift"]).toEqual(["cron is not running"]);
  expect(await onDom0("xennet status")).toMatch(/^cron is not running: .*"service crond start"/m);

  await onDom0("chkconfig crond off; service crond start");
  await expect.poll(drift, { timeout: 20_000 }).toEqual(["cron is not started at boot"]);
  expect(run.warnings.at(-1)).toMatch(/^On this host cron is not started at boot, .* run `chkconfig crond on`\.$/);
  expect(await onDom0("xennet status")).toMatch(/^cron is not started at boot: .*"chkconfig crond on"/m);

  await onDom0("chkconfig crond on");
  expect(await drift()).toEqual([]);
  await hostForwardingHandler.delete(run.process(), nat.id, nat.outs);
});
