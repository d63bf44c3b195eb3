import { expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { startHost } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { declareForwarding, declareGuests } from "./declared-host.ts";
import { provider } from "./host-under-test.ts";

test("links at boot that somebody removed are drift of the forwarding, and the next up makes them again", async () => {
  await using host = await startHost({ dom0: "old" });
  await using run = provider(host);
  const guests = await declareGuests(host, run.process());
  const bare = await captureHost(host.lab, host.simulator);
  const nat = await declareForwarding(run.process(), guests);
  const whole = await captureHost(host.lab, host.simulator);
  const read = async () => (await hostForwardingHandler.read(run.process(), nat.id, nat.outs)).props;
  expect(await read()).toMatchObject({ drift: [] });

  await host.lab.runInDom0("rm /etc/rc.d/rc?.d/S09xennet");
  const props = await read();
  const lost = [2, 3, 4, 5].map((level) => `hook /etc/rc.d/rc${level}.d/S09xennet`);
  expect(props["drift"]).toEqual(lost);
  expect((await host.lab.runInDom0("xennet status")).stdout).toContain("MISSING");
  const updated = await hostForwardingHandler.update(run.process(), nat.id, nat.outs, props);
  expect(updated.outs["drift"]).toEqual([]);
  expect(compareHosts(whole, await captureHost(host.lab, host.simulator))).toEqual([]);

  await hostForwardingHandler.delete(run.process(), nat.id, nat.outs);
  expect(compareHosts(bare, await captureHost(host.lab, host.simulator))).toEqual([]);
});
