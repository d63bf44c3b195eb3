import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, makeBox, program } from "./box.ts";
import { declare, hostForwarding, newToken, put, transaction } from "./declarations.ts";
import { eventually } from "./host-state.ts";

let box: Box;
const token = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
});
afterEach(() => box.close());

/** Lets a script do what a tool does; `work` in it is the tool. */
async function replace(tool: string, body: string): Promise<void> {
  const head = `#!/bin/busybox ash\nwork() { /bin/busybox ${tool} "$@"; }\n`;
  await box.try(`cat >/mnt/${tool}; chmod 755 /mnt/${tool}`, `${head}${body}\n`);
  await box.sh(`mount --bind /mnt/${tool} "$(readlink -f "$(command -v ${tool})")"`);
}

const first = () => put(token, hostForwarding(box, token));

test("a change that waits while everything is removed finds no program that is about to go", async () => {
  await declare(box, [first()]);
  await box.try("cat >/mnt/waiting", program());
  await replace(
    "rm",
    `work "$@"
case "$*" in *" /run/xennet")
  : >/mnt/gone
  for n in $(/bin/busybox seq 200); do [ ! -e /mnt/go ] || exit 0; /bin/busybox sleep 0.1; done ;;
esac`,
  );
  const removed = box.xennet("remove");
  await eventually("the lock file is gone", async () => (await box.try("[ -e /mnt/gone ]")).code === 0);
  const waited = await box.try("sh /mnt/waiting transact", transaction(box, [first()], 60));
  await box.sh(": >/mnt/go");
  expect(await removed).toMatchObject({ code: 0, stderr: "" });
  expect(waited).toMatchObject({ code: 65, stderr: "" });
  expect(waited.stdout).toMatch(/^error PROGRAM_MISSING /);
  expect(await box.sh("iptables-save; ls /etc /usr/local/sbin")).not.toMatch(/xennet/i);
});

test.each(["apply", "confirm 1", "off"])("a lock that goes away at any moment does not end %s", async (command) => {
  await declare(box, [first()]);
  await replace(
    "mkdir",
    `work "$@" || exit
case "$*" in *" /run/xennet") [ -e /mnt/once ] || { : >/mnt/once; /bin/busybox rm -rf /run/xennet; } ;; esac`,
  );
  await box.sh("rm -rf /run/xennet");
  expect(await box.xennet(command)).toMatchObject({ code: 0, stderr: "" });
});

test("what a run was writing when it was killed goes with the removal", async () => {
  await declare(box, [first()]);
  const hooks = "/etc/cron.d/xennet /etc/init.d/xennet /etc/udev/rules.d/95-xennet.rules";
  await box.sh(`for hook in ${hooks}; do : >$hook.xennet; done; : >/usr/local/sbin/xennet.new.999999`);
  expect(await box.xennet("remove")).toMatchObject({ code: 0, stderr: "" });
  expect(await box.sh("ls -R /etc /usr/local/sbin")).not.toMatch(/xennet/);
});
