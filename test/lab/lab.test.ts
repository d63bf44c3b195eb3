import { expect, test } from "vitest";
import { startLab } from "./lab.ts";
import { sshRun } from "./ssh-login.ts";

test("four labs side by side are four hosts", async () => {
  const labs = await Promise.all(Array.from({ length: 4 }, () => startLab()));
  try {
    const uuids = await Promise.all(
      labs.map((lab) => sshRun(lab, ". /etc/xensource-inventory; echo $INSTALLATION_UUID")),
    );
    expect(uuids).toEqual(labs.map(({ hostUuid }) => `${hostUuid}\n`));
    expect(new Set(labs.map(({ ssh }) => ssh.hostKey)).size).toBe(4);
  } finally {
    await Promise.all(labs.map((lab) => lab.close()));
  }
});

test("a dom0 can be made to say that it is another host's", async () => {
  await using lab = await startLab({ hostUuid: "f1d3b0a4-7d6b-4a53-9f0c-0f7ad7b6ef11" });
  await lab.setHostUuid("00000000-0000-4000-8000-000000000000");
  const { stdout } = await lab.runInDom0("cat /etc/xensource-inventory");
  expect(stdout).toContain("INSTALLATION_UUID='00000000-0000-4000-8000-000000000000'\n");
  expect(stdout).toContain("MANAGEMENT_INTERFACE='xenbr0'\n");
});

test("a dom0 that cannot boot is an error that shows its log", async () => {
  await using lab = await startLab();
  await lab.runInDom0("rm /etc/hostname");
  await expect(lab.rebootDom0()).rejects.toThrow(/dom0 ended, or did not boot.*hostname/s);
});
