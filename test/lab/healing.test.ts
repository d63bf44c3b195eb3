import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { DOM0S } from "./dom0-traits.ts";
import { type ForwardedHost, startForwardedHost } from "./forwarded-host.ts";
import * as events from "./host-events.ts";
import { bringOtherTools, keptByOthers } from "./other-tools.ts";

/** udev tells of a bridge; of everything else cron finds out, whose minute lasts a second here. */
const NOTIFIED_MS = 2000;
const CRON_MS = 10_000;

describe.each(DOM0S)("without Pulumi, on %s", (name, options) => {
  let dom0: ForwardedHost;
  const named = (what: string) => `${what} (${name})`;
  const byCron = (what: string) => `${what} (${name}, cron's clock x60)`;
  const rules = () => dom0.onDom0("iptables-save | grep XENNET- || true");

  beforeAll(async () => {
    dom0 = await startForwardedHost({ ...options, cronSpeed: 60 });
  });
  afterAll(() => dom0?.[Symbol.asyncDispose]());

  test("forwards answer again after the last VM was stopped and started", async () => {
    await dom0.stopGuest();
    await dom0.recovery(named("last VM stopped and started"), NOTIFIED_MS, dom0.startGuest);
  });

  test("forwards answer again after the stock table was loaded, the chains flushed, or the address removed by hand", async () => {
    await dom0.recovery(byCron("stock table loaded"), CRON_MS, () => events.loadSavedFirewall(dom0.host.lab));
    await dom0.recovery(byCron("chains flushed"), CRON_MS, () =>
      dom0.onDom0(
        "for t in filter nat; do for c in $(iptables-save -t $t | sed -n 's/^:\\(XENNET[^ ]*\\).*/\\1/p'); do iptables -t $t -F $c; done; done",
      ),
    );
    await dom0.recovery(byCron("address removed"), CRON_MS, () =>
      dom0.onDom0(`ip addr del 192.168.100.1/24 dev ${dom0.bridge}`),
    );
  });

  test("forwards answer again after the firewall's service was restarted, which empties every table", async () => {
    await dom0.recovery(byCron("firewall restarted"), CRON_MS, () => events.firewall(dom0.host.lab, "restart"));
    await dom0.recovery(byCron("firewall reloaded"), CRON_MS, () => events.firewall(dom0.host.lab, "reload"));
  });

  test.each(["rebootDom0", "powerCut"] as const)(
    "forwards answer again after %s, as soon as the VM runs",
    async (how) => {
      await dom0.host[how]();
      expect(await rules(), "rules are there before the bridge is").not.toBe("");
      await dom0.recovery(named(`VM started after ${how}`), NOTIFIED_MS, dom0.startGuest);
    },
  );

  test("a power cut while a change awaits its confirmation goes back to what was confirmed", async () => {
    const before = await rules();
    await dom0.changeUnconfirmed();
    await dom0.host.powerCut();
    expect(await rules()).toBe(before);
    await dom0.recovery(named("VM started after a power cut inside the window"), NOTIFIED_MS, dom0.startGuest);
  });

  test("after xennet off nothing comes back, not by cron, firewall, bridge or reboot, until xennet on", async () => {
    await dom0.onDom0("xennet off; echo '* * * * * root echo tick >>/var/log/ticks' >/etc/cron.d/ticks");
    await events.firewall(dom0.host.lab, "restart");
    await dom0.host.rebootDom0();
    await dom0.startGuest();
    await dom0.onDom0("rm -f /var/log/ticks");
    await eventually(async () => {
      expect((await dom0.host.lab.runInDom0("cat /var/log/ticks")).stdout).toMatch(/^(tick\n){3}/);
    }, 20_000);
    expect(await rules()).toBe("");
    expect(await dom0.onDom0(`ip -4 addr show dev ${dom0.bridge}`)).toBe("");
    await dom0.onDom0("rm /etc/cron.d/ticks");
    await dom0.recovery(named("xennet on"), NOTIFIED_MS, () => dom0.onDom0("xennet on"));
  });

  test("destroy takes lines of ours out of the firewall file that another tool saved, and nothing else", async () => {
    await dom0.onDom0("cp -p /etc/sysconfig/iptables /var/tmp/stock");
    await events.openPortAndSave(dom0.host.lab, 4789);
    const saved = await dom0.onDom0("cat /etc/sysconfig/iptables");
    expect(saved).toContain("-A XENNET-FORWARD");
    await dom0.host.rebootDom0();
    await dom0.startGuest();
    await dom0.recovery(named("VM started after a reboot over a saved firewall"), NOTIFIED_MS, async () => {});
    const unlike = (await dom0.destroy()).filter(
      (line) => !/iptables filter chain (xapi-INPUT|INPUT)|file \/etc\/sysconfig\/iptables/.test(line),
    );
    expect(unlike).toEqual([]);
    expect(await dom0.onDom0("cat /etc/sysconfig/iptables")).toBe(
      saved
        .split("\n")
        .filter((line) => !/^:XENNET-|^-A XENNET-|-j XENNET-/.test(line))
        .join("\n"),
    );
  });
});

test.each(DOM0S)(
  "rules of fail2ban and docker are the same before, during healing and after, on %s",
  async (name, options) => {
    let others = "";
    await using dom0 = await startForwardedHost({ ...options, cronSpeed: 60 }, async ({ lab }) => {
      others = await bringOtherTools(lab);
    });
    const { lab } = dom0.host;
    expect(await keptByOthers(lab)).toBe(others);
    await dom0.recovery(`our jumps removed beside other tools' rules (${name}, cron's clock x60)`, CRON_MS, () =>
      dom0.onDom0("iptables -D FORWARD -j XENNET-FORWARD; iptables -t nat -D PREROUTING -j XENNET-PREROUTING"),
    );
    expect(await keptByOthers(lab)).toBe(others);
    expect(await dom0.destroy()).toEqual([]);
    expect(await keptByOthers(lab)).toBe(others);
  },
);

test("a bridge that is re-made with another number and an external address that changed are followed", async () => {
  await using dom0 = await startForwardedHost({ cronSpeed: 60 });
  const { lab } = dom0.host;
  await dom0.recovery("external address changed (cron's clock x60)", CRON_MS, async () => {
    await events.changeExternalAddress(lab, "192.168.1.10/24", "192.168.1.77/24");
    dom0.externalAddress = "192.168.1.77";
  });
  const network =
    (await dom0.onDom0("sed -n 's/^network //p' /etc/xennet/generations/*/*.fragment")).split("\n")[0] ?? "";
  await dom0.recovery("bridge re-made with another number", NOTIFIED_MS, () =>
    events.remakeBridge(lab, network, dom0.bridge, "xapi42"),
  );
  expect(await dom0.onDom0("ip -4 -o addr show dev xapi42")).toContain("192.168.100.1/24");
});
