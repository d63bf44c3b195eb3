import { expect, test } from "vitest";
import { startLab } from "./lab.ts";
import { sshRun } from "./ssh-login.ts";

test("a secret on a command line of dom0 is seen, one that goes by stdin is not", async () => {
  await using lab = await startLab();
  const recorder = await lab.recordArgv();
  await sshRun(lab, "sh -c 'sleep 0.2; : hunter2'");
  await lab.runInDom0("sleep 0.2; : hunter3");
  const seen = await recorder.stop();
  expect(seen.filter(({ where, argv }) => where === "dom0" && argv.includes("hunter2"))).not.toEqual([]);
  expect(seen.filter(({ where, argv }) => where === "dom0" && argv.includes("sh -s"))).not.toEqual([]);
  expect(seen.filter(({ argv }) => argv.includes("hunter3"))).toEqual([]);
  expect(seen.filter(({ argv }) => argv.includes(lab.ssh.password))).toEqual([]);
});
