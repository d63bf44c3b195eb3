import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { legs } from "../support/legs.ts";
import { type ForwardedHost, startForwardedHost } from "./forwarded-host.ts";
import * as events from "./host-events.ts";
import { type Counts, SendingGuests } from "./sending-guest.ts";

/** Long enough for what is late to show: udev, cron (whose minute lasts a second here), a slow machine. */
const AFTERWARDS_MS = 3000;

describe.each(legs("legacy", "nft"))("a guest that sends throughout, iptables %s", (iptables) => {
  let dom0: ForwardedHost;
  let guests: SendingGuests;
  const lab = () => dom0.host.lab;

  beforeAll(async () => {
    dom0 = await startForwardedHost({ iptables, cronSpeed: 60 });
    guests = new SendingGuests(lab(), iptables);
    await guests.start();
    guests.send();
  });
  afterAll(async () => {
    await guests?.[Symbol.asyncDispose]();
    await dom0?.[Symbol.asyncDispose]();
  });

  /** What got through from the beginning of `event` until all is healed. */
  async function through(event: () => Promise<unknown>, fresh = false): Promise<Counts> {
    const before = fresh ? {} : await guests.counts();
    // A look that comes late, as on a busy host: what is closed only by it would show.
    await dom0.onDom0("setsid flock -x /run/xennet/lock sleep 1.5 </dev/null >/dev/null 2>&1 &");
    await event();
    await expect.poll(dom0.ask, { timeout: 20_000 }).toBe("guest");
    await pause(AFTERWARDS_MS);
    const { arrived = 0, ...others } = difference(before, await guests.counts());
    expect(arrived, "packets that the guest sent meanwhile").toBeGreaterThan(500);
    return Object.fromEntries(Object.entries(others).filter(([, packets]) => packets !== 0));
  }
  const network = async () =>
    (await dom0.onDom0("sed -n 's/^network //p' /etc/xennet/generations/*/*.fragment")).split("\n")[0] ?? "";

  test("reaches nothing in steady state", async () => {
    expect(await through(async () => {})).toEqual({});
  });

  test("reaches nothing when its bridge goes and comes back", async () => {
    const { bridge } = dom0;
    expect(await through(async () => events.remakeBridge(lab(), await network(), bridge, bridge))).toEqual({});
  });

  test("reaches nothing when its bridge comes back under another name, and under the first one again", async () => {
    const { bridge } = dom0;
    expect(await through(async () => events.remakeBridge(lab(), await network(), bridge, "xapi42"))).toEqual({});
    expect(await through(async () => events.remakeBridge(lab(), await network(), "xapi42", bridge))).toEqual({});
  });

  test("reaches nothing when its VM is stopped and started, which takes the bridge along", async () => {
    expect(
      await through(async () => {
        await dom0.stopGuest();
        await dom0.startGuest();
      }),
    ).toEqual({});
  });

  test.each([
    ["the address is removed", (bridge: string) => `ip addr flush dev ${bridge}`],
    [
      "the bridge is set down and up",
      (bridge: string) => `ip link set ${bridge} down; sleep 0.3; ip link set ${bridge} up`,
    ],
    ["settings are changed", (bridge: string) => `echo 0 >/proc/sys/net/ipv4/conf/${bridge}/rp_filter`],
    ["/run is wiped", () => "rm -rf /run/xennet; xennet apply"],
  ])("reaches nothing when %s", async (_what, script) => {
    expect(await through(() => dom0.onDom0(script(dom0.bridge)))).toEqual({});
  });

  test("reaches nothing once `xennet on` has ended", async () => {
    await dom0.onDom0("xennet off; xennet on");
    expect(await through(async () => {})).toEqual({});
  });

  test("reaches nothing from the first moment after a boot", async () => {
    await dom0.host.rebootDom0();
    await guests.start();
    expect(await through(dom0.startGuest, true)).toEqual({});
  });

  test("leaves the LAN out of storage, too, unless an administrator's rule lets it in", async () => {
    const fromLan = async () => {
      const before = await guests.counts();
      await guests.sendFromLan();
      await pause(500);
      return difference(before, await guests.counts())["storage, from the LAN"];
    };
    expect(await fromLan()).toBe(0);
    await dom0.onDom0("iptables -I FORWARD -i xenbr0 -o storage0 -j ACCEPT");
    expect(await fromLan()).toBeGreaterThanOrEqual(5);
    await dom0.onDom0("iptables -D FORWARD -i xenbr0 -o storage0 -j ACCEPT");
  });

  // What cannot be closed: somebody takes our rules away. Only sources are still checked.
  test.each([
    ["an administrator flushes the filter table", () => dom0.onDom0("iptables -F")],
    ["the firewall's service restarts", () => events.firewall(lab(), "restart")],
  ])("gets through until the next look when %s, though not under another's address", async (what, event) => {
    const before = await guests.counts();
    const began = Date.now();
    await event();
    let [last, until] = [before, began];
    for (const end = began + 8000; Date.now() < end; await pause(50)) {
      const now = await guests.counts();
      if (Object.entries(now).some(([name, packets]) => name !== "arrived" && packets !== last[name]))
        until = Date.now();
      last = now;
    }
    const { arrived, ...others } = difference(before, last);
    const shown = Object.entries(others).map(([name, packets]) => `${packets} to ${name}`);
    process.stdout.write(
      `windows: ${what} (${iptables}, cron's clock x60): open for ${until - began} ms; of ${arrived} packets ${shown.join(", ")}\n`,
    );
    expect(until - began).toBeLessThan(5000);
    expect(others["the LAN, from an address of the LAN"]).toBe(0);
    expect(others["dom0's external address, from the LAN's address"]).toBe(0);
    expect(others["dom0 by IPv6, 22"]).toBe(0);
    expect(await through(async () => {})).toEqual({});
  });
});

function difference(before: Counts, after: Counts): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([name, packets]) => [name, packets - (before[name] ?? 0)]));
}
