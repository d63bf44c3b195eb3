import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ForwardedHost, startForwardedHost } from "../lab/forwarded-host.ts";
import { systemdObstacle } from "../lab/systemd-root.ts";
import { eventually } from "../support/eventually.ts";

const obstacle = systemdObstacle();
const NOTIFIED_MS = 2000;
const TIMER_MS = 65_000;
const title = (text: string) => (obstacle === undefined ? text : `${text} (skipped: ${obstacle})`);

describe.skipIf(obstacle !== undefined)(title("a dom0 with systemd and udevd"), () => {
  let dom0: ForwardedHost;
  let unitFiles: string;

  beforeAll(async () => {
    dom0 = await startForwardedHost({ init: "systemd" }, async ({ lab }) => {
      unitFiles = (await lab.runInDom0(LIST_UNIT_FILES)).stdout;
    });
  });
  afterAll(() => dom0?.[Symbol.asyncDispose]());

  const rules = () => dom0.onDom0("iptables-save | grep -c XENNET- || true");
  const isActive = async (unit: string) => (await dom0.host.lab.runInDom0(`systemctl is-active ${unit}`)).stdout.trim();

  test("a transaction installs enabled units, and none of them has failed", async () => {
    expect(
      await dom0.onDom0("systemctl list-unit-files --no-legend --no-pager 'xennet*' | awk '{ print $1, $2 }'"),
    ).toBe("xennet-check.service static\nxennet.service enabled\nxennet@.service static\nxennet-check.timer static\n");
    expect(await isActive("xennet.service xennet-check.timer")).toBe("active\nactive");
    expect(await dom0.onDom0("systemctl --failed --no-legend --no-pager")).toBe("");
    expect(await dom0.onDom0("systemctl is-system-running")).toBe("running\n");
  });

  test("systemd has no complaint about the units, and systemd 219 knows their directives", async () => {
    await dom0.onDom0("systemd-analyze verify /etc/systemd/system/xennet* 2>&1");
    const directives = await dom0.onDom0("sed -n 's/=.*//p' /etc/systemd/system/xennet* | sort -u");
    expect(directives.split("\n").filter((name) => name !== "" && !KNOWN_TO_219.has(name))).toEqual([]);
    expect(await dom0.onDom0("journalctl -b --no-pager | grep -e 95-xennet -e 'xennet.*nknown' || true")).toBe("");
  });

  test("forwards answer again after the last VM was stopped and started, which makes the bridge anew", async () => {
    await dom0.stopGuest();
    await dom0.recovery("last VM stopped and started", NOTIFIED_MS, dom0.startGuest);
  });

  test("forwards answer again after the firewall was restarted, and after it was reloaded", async () => {
    await dom0.recovery("systemctl restart iptables", NOTIFIED_MS, () => dom0.onDom0("systemctl restart iptables"));
    // What comes while the unit still starts is one event with it.
    await eventually(async () =>
      expect(await dom0.onDom0("systemctl list-jobs --no-pager")).toBe("No jobs running.\n"),
    );
    await dom0.recovery("systemctl reload iptables", NOTIFIED_MS, () => dom0.onDom0("systemctl reload iptables"));
  });

  test("a firewall that was stopped by hand stays as it is, also when a bridge appears, until it is started", async () => {
    await dom0.onDom0("systemctl stop iptables");
    expect(await rules()).toBe("0\n");
    expect(await isActive("xennet.service xennet-check.timer xennet-check.service")).toBe(
      "inactive\ninactive\ninactive",
    );
    await dom0.stopGuest();
    await dom0.startGuest();
    await eventually(async () => {
      expect(await dom0.onDom0("journalctl -b --no-pager | grep -c 'Dependency failed for xennet@' || true")).not.toBe(
        "0\n",
      );
    });
    expect(await rules()).toBe("0\n");
    await dom0.recovery("systemctl start iptables", NOTIFIED_MS, () => dom0.onDom0("systemctl start iptables"));
    expect(await isActive("xennet.service xennet-check.timer")).toBe("active\nactive");
  });

  test("the timer repairs what nobody tells of: chains flushed and the address removed", async () => {
    const took = await dom0.recovery("chains flushed, address removed (timer)", TIMER_MS, () =>
      dom0.onDom0(`iptables -F XENNET-FORWARD; iptables -t nat -F XENNET-PREROUTING
ip addr del 192.168.100.1/24 dev ${dom0.bridge}`),
    );
    expect(took).toBeGreaterThan(0);
  });

  test.each(["rebootDom0", "powerCut"] as const)("after %s the forward answers as soon as its VM runs", async (how) => {
    await dom0.host[how]();
    expect(await rules(), "rules are there before the bridge is").not.toBe("0\n");
    await dom0.recovery(`VM started after ${how}`, NOTIFIED_MS, dom0.startGuest);
    expect(await dom0.onDom0("systemctl --failed --no-legend --no-pager")).toBe("");
  });

  test("after xennet off nothing comes back, not by firewall, bridge or reboot, until xennet on", async () => {
    await dom0.onDom0("xennet off");
    await dom0.onDom0("systemctl restart iptables");
    expect(await rules()).toBe("0\n");
    await dom0.host.rebootDom0();
    await dom0.startGuest();
    await eventually(async () => {
      expect(await dom0.onDom0(`journalctl -b --no-pager | grep -c 'Finished xennet@${dom0.bridge}' || true`)).toBe(
        "1\n",
      );
    });
    expect(await rules()).toBe("0\n");
    expect(await dom0.onDom0(`ip -4 addr show dev ${dom0.bridge}`)).toBe("");
    await dom0.recovery("xennet on", NOTIFIED_MS, () => dom0.onDom0("xennet on"));
  });

  test("a power cut while a change awaits its confirmation goes back to what was confirmed", async () => {
    const before = await dom0.onDom0("iptables-save | grep XENNET-");
    await dom0.changeUnconfirmed();
    await dom0.host.powerCut();
    expect(await dom0.onDom0("iptables-save | grep XENNET-")).toBe(before);
    expect(await dom0.onDom0("ls /etc/xennet/pending 2>/dev/null || true")).toBe("");
    await dom0.recovery("VM started after the power cut inside the window", NOTIFIED_MS, dom0.startGuest);
  });

  test("destroy leaves the same host: files, rules, and what systemd knows", async () => {
    expect(await dom0.destroy()).toEqual([]);
    expect(await dom0.onDom0(LIST_UNIT_FILES)).toBe(unitFiles);
    await eventually(async () => {
      expect(await dom0.onDom0("systemctl list-units --all --no-legend --no-pager 'xennet*'")).toBe("");
    });
    expect(await dom0.onDom0("systemctl is-system-running")).toBe("running\n");
  });
});

const LIST_UNIT_FILES = "systemctl list-unit-files --no-legend --no-pager";

/** Of systemd.unit, systemd.service and systemd.timer in version 219, which EL7 has. */
const KNOWN_TO_219 = new Set([
  ...["Description", "After", "PartOf", "ReloadPropagatedFrom", "Requisite", "Wants", "WantedBy"],
  ...["Type", "RemainAfterExit", "ExecStart", "ExecReload", "OnActiveSec", "OnUnitActiveSec", "AccuracySec"],
]);
