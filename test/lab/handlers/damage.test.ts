import { expect, test } from "vitest";
import { hostForwardingHandler as handler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { startHost } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { declare, declareForwarding, declareGuests } from "./declared-host.ts";
import { provider, urnOf } from "./host-under-test.ts";

test("a damaged declaration is drift, the next update repairs it, and destroy gives the same host back", async () => {
  await using host = await startHost();
  await using run = provider(host);
  const before = await captureHost(host.lab, host.simulator);
  const context = run.process();
  const owner = urnOf("XenNetwork", "n");
  const made = await declare(xenNetworkHandler, context, { owner, nameLabel: "Internal" });
  const { id, outs } = await declareForwarding(context, made);

  await host.lab.runInDom0(
    `f=$(ls /etc/xennet/generations/*/*.fragment); head -n 4 $f > /run/cut; cat /run/cut > $f; rm /run/cut`,
  );
  const later = run.process();
  const read = await handler.read(later, id, outs);
  expect(read).toMatchObject({ id, props: { drift: ["its declaration on the host is damaged"] } });
  expect(await handler.diff(later, id, read.props, outs)).toMatchObject({ changes: true, replaces: [] });
  const updated = await handler.update(later, id, read.props, outs);
  expect(await handler.read(run.process(), id, updated.outs)).toEqual({ id, props: updated.outs });

  await handler.delete(run.process(), id, updated.outs);
  await xenNetworkHandler.delete(run.process(), made.id, made.outs);
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
});

test("a hook that cannot be written is drift of the up that tried, and the next one writes it", async () => {
  await using host = await startHost();
  await using run = provider(host);
  const context = run.process();
  const { id, outs } = await declareForwarding(context, await declareGuests(host, context));
  const lost = ["hook /etc/cron.d/xennet"];
  await host.lab.runInDom0(
    "rm /etc/cron.d/xennet; mount --bind /etc/cron.d /etc/cron.d && mount -o remount,bind,ro /etc/cron.d",
  );
  const read = await handler.read(run.process(), id, outs);
  expect(read).toMatchObject({ props: { drift: lost }, inputs: { drift: lost } });
  const tried = await handler.update(run.process(), id, read.props, outs);
  expect(tried.outs["drift"]).toEqual(lost);
  await host.lab.runInDom0("umount /etc/cron.d");
  expect(await handler.diff(run.process(), id, tried.outs, outs)).toMatchObject({ changes: true });
  const mended = await handler.update(run.process(), id, tried.outs, outs);
  expect(mended.outs["drift"]).toEqual([]);
  expect((await host.lab.runInDom0("cat /etc/cron.d/xennet")).stdout).toContain("xennet apply");
});

test("an update never writes over another resource's fragment", async () => {
  await using host = await startHost();
  await using run = provider(host);
  const context = run.process();
  const { id, outs } = await declareForwarding(context, await declareGuests(host, context));
  const other = { ...outs, owner: urnOf("HostForwarding", "other", "prod") };
  await expect(handler.update(run.process(), id, { ...outs, owner: other.owner }, other)).rejects.toMatchObject({
    code: "FRAGMENT_FOREIGN",
  });
});
