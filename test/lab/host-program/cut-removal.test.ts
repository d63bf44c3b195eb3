import { expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, put, remove, transact } from "./declarations.ts";

const forwarding = newToken();
const first = (box: Box) => put(forwarding, hostForwarding(box, forwarding));

/** The run of the program that calls a tool is killed, before the tool works, at its so many-th call of rm or mv. */
async function crashAt(box: Box, call: number): Promise<void> {
  const body = `#!/bin/busybox ash
n=$(($(cat /mnt/calls) + 1))
echo $n >/mnt/calls
[ $n != ${call} ] || kill -s KILL $PPID
exec /bin/busybox \${0##*/} "$@"
`;
  await box.try("cat >/mnt/tool; chmod 755 /mnt/tool; echo 0 >/mnt/calls", body);
  await box.sh("for tool in rm mv; do mount --bind /mnt/tool $(readlink -f $(command -v $tool)); done");
}
const work = (box: Box) => box.sh("for tool in rm mv; do umount $(readlink -f $(command -v $tool)); done");

const hasCrashed = async (box: Box, call: number) => Number(await box.sh("cat /mnt/calls")) >= call;

test.each<[string, (box: Box) => Promise<unknown>, string]>([
  ["everything is removed", (box) => declare(box, [first(box)]), "remove"],
  [
    "the last declaration's removal is confirmed",
    async (box) => {
      await declare(box, [first(box)]);
      await transact(box, [remove(forwarding)]);
    },
    "confirm 2",
  ],
  ["a first change is taken back", (box) => transact(box, [first(box)]), "revert 1"],
])("a crash at any moment when %s still ends in removal", async (_what, prepare, command) => {
  for (let call = 1, crashed = true; crashed; call += 1) {
    const box = await makeBox();
    try {
      await box.plug();
      await prepare(box);
      await crashAt(box, call);
      await box.xennet(command);
      crashed = await hasCrashed(box, call);
      await work(box);
      expect(call > 1 || crashed).toBe(true);
      if ((await box.try("[ -e /usr/local/sbin/xennet ]")).code === 0) {
        expect(await box.xennet("apply"), `crash at call ${call}`).toMatchObject({ code: 0 });
        await box.xennet(command);
      }
      expect(await box.sh("iptables-save; ls /etc"), `crash at call ${call}`).not.toMatch(/xennet/i);
    } finally {
      await box.close();
    }
  }
});

test("a crash at any moment of a first change is no obstacle to what comes next", async () => {
  for (let call = 1, crashed = true; crashed; call += 1) {
    const box = await makeBox();
    try {
      await box.plug();
      await crashAt(box, call);
      await transact(box, [first(box)]);
      crashed = await hasCrashed(box, call);
      await work(box);
      await box.reboot();
      await box.plug();
      // 127: the program has gone already.
      expect([0, 127], `crash at call ${call}`).toContain((await box.xennet("apply")).code);
      expect(await box.sh("iptables-save; ls /etc"), `crash at call ${call}`).not.toMatch(/xennet/i);
    } finally {
      await box.close();
    }
  }
});

test.each([
  [
    "its hooks",
    "rm -f /etc/cron.d/xennet /etc/udev/rules.d/95-xennet.rules /etc/rc.d/rc?.d/S*xennet /etc/init.d/xennet",
  ],
  [
    "everything but the program",
    "rm -rf /etc/xennet; rm -f /etc/cron.d/xennet /etc/udev/rules.d/95-xennet.rules /etc/rc.d/rc?.d/S*xennet /etc/init.d/xennet",
  ],
])("a removal that was cut short after it took away %s ends with a way back to nothing", async (_what, cut) => {
  await using disposable = { box: await makeBox(), [Symbol.asyncDispose]: () => disposable.box.close() };
  const { box } = disposable;
  await box.plug();
  const operations = [first(box)];
  await declare(box, operations);
  await box.sh(`cp -p /usr/local/sbin/xennet /mnt/kept; cp -a /etc/xennet /mnt/declared`);
  await box.xennet("remove");
  await box.sh(
    `cp -p /mnt/kept /usr/local/sbin/xennet; cp -a /mnt/declared /etc/xennet; mv /etc/xennet/generations /etc/xennet/removed; ${cut}`,
  );
  expect(await box.xennet("revert 0")).toMatchObject({ code: 0, stdout: "reverted 0\n" });
  expect(await box.sh("iptables-save; find /etc /run /usr/local/sbin -name '*xennet*'")).not.toMatch(/xennet/i);
});
