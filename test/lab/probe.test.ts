import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { probeLab } from "./probe.ts";
import { SYSTEM_PATH } from "./shell.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "probe-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that stands in front of the real one. */
const shadow = (name: string, script: string) => {
  const directory = mkdtempSync(join(folder, "bin-"));
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, name), 0o755);
  return `${directory}:${SYSTEM_PATH}`;
};

test("where the lab can run, the probe says so and names the back ends that work", async () => {
  const probe = await probeLab();
  expect(probe).toMatchObject({ ok: true, missingPackages: [] });
  expect(probe.iptables).toContain("nft");
});

test("where packages are missing, it names them as Debian does, with the command that installs them", async () => {
  const probe = await probeLab("/usr/bin:/bin");
  expect(probe.ok).toBe(false);
  expect(probe.missingPackages).toEqual(expect.arrayContaining(["iptables", "openssh-server", "cron"]));
  expect(probe.missingPackages).not.toContain("util-linux");
  expect(probe.problem).toContain("openssh-server");
  expect(probe.fix).toMatch(/apt-get install --no-install-recommends .*openssh-server/);
});

test("where namespaces are not allowed, it says what the kernel said and what to do", async () => {
  const refuse = "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1";
  const probe = await probeLab(shadow("unshare", refuse));
  expect(probe).toMatchObject({
    ok: false,
    missingPackages: [],
    problem: expect.stringContaining("Operation not permitted"),
  });
  expect(probe.fix).not.toBe("");
});

test("where only one back end of iptables works, it names the other not", async () => {
  const probe = await probeLab(shadow("iptables-legacy", "echo 'Table does not exist' >&2; exit 3"));
  expect(probe).toMatchObject({ ok: true, iptables: ["nft"] });
});
