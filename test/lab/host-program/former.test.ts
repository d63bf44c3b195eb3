import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, put, remove, transact, transaction } from "./declarations.ts";
import { eventually, hostState, lines } from "./host-state.ts";
import { wrapIp, wrapTool } from "./wrapped-tool.ts";

let box: Box;
let bare: string;
const token = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
  await box.sh("rm /usr/local/sbin/xennet");
  bare = await state();
  await box.install();
});
afterEach(() => box.close());

/** Without the tools that tests put in place of others. */
const state = async () => (await hostState(box)).replace(/^'\/etc\/alternatives.*\n/gm, "");

const settings = ["proxy-arp on", "send-redirects off"];
const forwarding = () => put(token, hostForwarding(box, token, { settings }));
const records = () => box.sh("sed 1d /etc/xennet/former");
const isBack = async () => expect(await state()).toBe(bare);

test("a value that could not be put back stays on record, though nobody hears of it", async () => {
  await declare(box, [forwarding()]);
  const before = await records();
  await wrapIp(box, `case "$*" in 'addr del'*) echo no >&2; exit 2 ;; esac`);
  await box.try("cat >/mnt/input", transaction(box, [remove(token)], 60));
  // The reader of both streams has gone before the first word.
  await box.sh("{ sleep 1; /usr/local/sbin/xennet transact </mnt/input 2>&1; } | :");
  await wrapIp(box, "");
  expect(await box.xennet("apply")).toMatchObject({ code: 0 });
  expect(await records()).toBe(before);
  await declare(box, [remove(token)]);
  await isBack();
});

test("a record goes only after its value was read back", async () => {
  await declare(box, [forwarding()]);
  await wrapIp(box, `case "$*" in 'addr del'*) exit 2 ;; esac`);
  expect((await box.xennet("off")).code).toBe(65);
  expect(await records()).toBe("address xapi1 3 192.168.100.1/24 absent\n");
  await wrapIp(box, "");
  expect(await box.xennet("apply")).toMatchObject({ code: 0, stdout: "changed\n" });
  expect(await records()).toBe("");
  expect(await box.sh("ip -4 addr show dev xapi1")).toBe("");
});

/** Wipes /run in the n-th of these runs of a tool. */
const wipeIn = (tool: string, n: number) => {
  const body = `n=$(($(cat /mnt/n 2>/dev/null || echo 0) + 1)); echo $n >/mnt/n; [ $n != ${n} ] || rm -rf /run/xennet`;
  return box.sh("rm -f /mnt/n").then(() => (tool === "ip" ? wrapIp(box, body) : wrapTool(box, tool, body)));
};

test.each([
  ["ip", [2, 4, 6]],
  ["awk", [3, 6, 9]],
  ["iptables-restore", [2, 3]],
] as const)("a /run that is wiped at any run of %s makes none of our values a former one", async (tool, moments) => {
  for (const moment of moments) {
    await wipeIn(tool, moment);
    const answer = await transact(box, [forwarding()]);
    if (/^pending/m.test(answer.stdout)) await box.xennet(`confirm ${pendingOf(answer)}`);
    await box.sh("rm -rf /run/xennet");
    await box.install();
    await declare(box, [forwarding(), put(newToken(), hostForwarding(box, newToken()))]).catch(() => undefined);
    await wipeIn(tool, moment);
    const removal = await transact(box, [remove(token)]);
    if (/^pending/m.test(removal.stdout)) await box.xennet(`confirm ${pendingOf(removal)}`);
    await box.xennet("remove");
    expect(await state(), `wiped at ${moment}`).toBe(bare);
    await box.install();
  }
});

test("what version 2 of the program had on record is taken over", async () => {
  await declare(box, [forwarding()]);
  await box.sh(
    "sed -e 1d -e '/^link /d' /etc/xennet/former >/run/xennet/former; sed 1d /etc/xennet/bridges >/run/xennet/bridges; rm /etc/xennet/former /etc/xennet/bridges",
  );
  await box.sh("echo 0 >/proc/sys/net/ipv4/conf/xapi1/proxy_arp");
  expect((await box.xennet("apply")).stdout).toBe("changed\n");
  expect(await records()).toContain("forwarding xenbr0 2 - 0\n");
  expect(await box.sh("ls /run/xennet")).not.toContain("former");
  await declare(box, [remove(token)]);
  await isBack();
});

test("records of another boot count no more", async () => {
  await declare(box, [forwarding()]);
  await box.reboot();
  await box.plug();
  await box.sh("echo 1 >/proc/sys/net/ipv4/conf/xenbr0/forwarding");
  await box.xennet("apply");
  expect(await records()).toMatch(/^forwarding xenbr0 \d+ - 1$/m);
});

test("with persistence none the hooks are there until the change is confirmed, and take it back should the guard be killed", async () => {
  const hooks = () => box.sh("ls /etc/cron.d /etc/init.d");
  const none = await hooks();
  const quiet = () => put(token, hostForwarding(box, token, { settings: ["persistence none"] }));
  await declare(box, [quiet()]);
  expect(await hooks()).toBe(none);
  const answer = await transact(
    box,
    [put(token, hostForwarding(box, token, { name: "other", settings: ["persistence none"] }))],
    1,
  );
  expect(lines(answer.stdout, "outcome")).toEqual([`${token} ok`]);
  expect(await hooks()).toContain("xennet");
  await box.try('kill -KILL "-$(cat /run/xennet/guard)"');
  await eventually("cron takes it back", async () => {
    await box.sh("sed -n 's/^\\* \\* \\* \\* \\* root //p' /etc/cron.d/xennet 2>/dev/null | sh");
    return (await hooks()) === none;
  });
  expect(await box.sh("cat /etc/xennet/generations/*/*.fragment")).toContain("\nname nat\n");
});
