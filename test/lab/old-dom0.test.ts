import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type Lab, startLab } from "./lab.ts";

const inDom0 = async (lab: Lab, script: string) => {
  const { status, stdout, stderr } = await lab.runInDom0(`set -e\n${script}`);
  expect({ status, stderr }, script).toEqual({ status: 0, stderr: "" });
  return stdout;
};

test("an old dom0 starts what is linked in /etc/rc.d: the firewall on iptables 1.3.5, and cron unless it is switched off", async () => {
  await using lab = await startLab({ dom0: "old", cronSpeed: 60 });
  expect(await inDom0(lab, "iptables --version; iptables-save")).toMatch(
    /^iptables v1\.3\.5\n.*-A FORWARD -j RH-Firewall-1-INPUT \n/s,
  );
  expect(await inDom0(lab, "ls -d /etc/sysctl.d /run/systemd /etc/systemd 2>/dev/null || true")).toBe("");
  await inDom0(lab, "echo '* * * * * root echo tick >>/var/log/ticks' >/etc/cron.d/ticks");
  await eventually(async () => expect(await inDom0(lab, "cat /var/log/ticks")).toContain("tick\ntick\n"), 20_000);

  await inDom0(lab, "rm /etc/rc.d/rc?.d/S90crond");
  await lab.rebootDom0();
  expect(await inDom0(lab, "cat /proc/[0-9]*/comm")).not.toMatch(/^crond?$/m);
  await inDom0(lab, "/etc/init.d/crond start");
  await expect.poll(() => inDom0(lab, "cat /proc/[0-9]*/comm")).toMatch(/^crond?$/m);
});
