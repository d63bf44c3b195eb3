import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, portForward, put, remove, transact } from "./declarations.ts";
import { eventually, hostState, lines, snapshot } from "./host-state.ts";

let box: Box;
const forwarding = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
});
afterEach(() => box.close());

const first = () => put(forwarding, hostForwarding(box, forwarding));
const second = (token: string) => put(token, portForward(box, token, 8080));
const isGone = async (path: string) => (await box.try(`[ ! -e ${path} ]`)).code === 0;

/** The guards that run in the box; the pattern does not match the command that looks for them. */
async function guards(): Promise<string[]> {
  const found = await box.sh(
    "for p in /proc/[0-9]*; do case $(tr '\\0' ' ' <$p/cmdline 2>/dev/null) in *xennet-guar[d]*) basename $p ;; esac; done",
  );
  return found.split("\n").filter((pid) => pid !== "");
}

/** The host's state without the counter of generations, which only grows. */
const comparable = async () => (await hostState(box)).replace(/.*\/etc\/xennet\/last.*\n/g, "");

test("a change that nobody confirms goes back to the confirmed generation by itself", async () => {
  await declare(box, [first()]);
  const before = await comparable();
  const token = newToken();
  await transact(box, [second(token), remove(forwarding)], 1);
  expect(await comparable()).not.toBe(before);
  await eventually("the guard has gone back", async () => (await comparable()) === before);
  expect(lines(await snapshot(box), "pending")).toEqual(["none"]);
});

test("a first change that nobody confirms leaves nothing at all, the program included", async () => {
  await box.sh("rm /usr/local/sbin/xennet");
  const before = await hostState(box);
  await box.install();
  await transact(box, [first()], 1);
  await eventually("the host is as it was", async () => (await hostState(box)) === before);
  expect(await isGone("/run/xennet")).toBe(true);
});

test("the guard holds neither the lock nor the caller's output", async () => {
  // The output of the caller is a pipe: were the guard to hold it, this call would last as long as the window.
  const begun = Date.now();
  await transact(box, [first()], 50);
  expect(Date.now() - begun).toBeLessThan(20_000);
  expect((await box.try("flock -n /run/xennet/lock true")).code).toBe(0);
  const [guard] = await guards();
  expect(await box.sh(`for fd in 0 1 2; do readlink /proc/${guard}/fd/$fd; done`)).toBe(
    "/dev/null\n/dev/null\n/dev/null\n",
  );
  expect(await box.sh(`ls -l /proc/${guard}/fd`)).not.toContain("/run/xennet");
});

test("a run of cron notices the end of the window when the guard is gone", async () => {
  await declare(box, [first()]);
  const before = await comparable();
  await transact(box, [remove(forwarding)], 1);
  for (const guard of await guards()) await box.try(`kill ${guard}`);
  await eventually("an apply goes back", async () => {
    await box.xennet("apply");
    return (await comparable()) === before;
  });
});

test("a confirmed change stays after its window, and guard and former generation go at once", async () => {
  await declare(box, [first()]);
  const answer = await transact(box, [second(newToken())], 8);
  const confirmed = await box.xennet(`confirm ${pendingOf(answer)}`);
  expect(confirmed.stdout).toMatch(/^confirmed 2\nxennet-snapshot 1\n/);
  await eventually("the guard has ended", async () => (await guards()).length === 0);
  expect(await box.sh("ls /etc/xennet/generations; ls /etc/xennet")).toBe(
    "2\nbridges\nconfirmed\nformat\nformer\ngenerations\nlast\n",
  );
  const before = await hostState(box);
  const [end] = (await box.sh("cut -d. -f1 /proc/uptime")).split("\n");
  await eventually(
    "the window has ended",
    async () => Number(await box.sh("cut -d. -f1 /proc/uptime")) > Number(end) + 8,
  );
  expect((await box.xennet("apply")).stdout).toBe("");
  expect(await hostState(box)).toBe(before);
});

test("a second confirmation, after a lost answer, succeeds", async () => {
  await declare(box, [first()]);
  expect((await box.xennet("confirm 1")).stdout).toMatch(/^confirmed 1\nxennet-snapshot 1\n/);
});

test("a confirmation that was cut short by a crash is completed by the next one", async () => {
  const answer = await transact(box, [first()]);
  expect(pendingOf(answer)).toBe(1);
  await box.sh("echo 1 >/etc/xennet/confirmed");
  expect((await box.xennet("confirm 1")).stdout).toMatch(/^confirmed 1\n/);
  expect(await isGone("/etc/xennet/pending")).toBe(true);
});

test("a confirmation that comes too late fails and the host has gone back", async () => {
  await declare(box, [first()]);
  const before = await comparable();
  const answer = await transact(box, [second(newToken())], 1);
  await eventually("the window has ended", async () => lines(await snapshot(box), "pending")[0] === "none");
  const late = await box.xennet(`confirm ${pendingOf(answer)}`);
  expect([late.code, late.stdout]).toEqual([65, "error EXPIRED 2\n"]);
  expect(await comparable()).toBe(before);
});

test("a number is not used twice, so that a late confirmation meets nobody else's change", async () => {
  await declare(box, [first()]);
  const one = pendingOf(await transact(box, [second(newToken())]));
  await box.xennet(`revert ${one}`);
  const two = pendingOf(await transact(box, [second(newToken())]));
  expect(two).toBe(one + 1);
  expect((await box.xennet(`confirm ${one}`)).stdout).toBe(`error EXPIRED ${one}\n`);
});

test("revert goes back at once, and again without harm", async () => {
  await declare(box, [first()]);
  const before = await comparable();
  const number = pendingOf(await transact(box, [remove(forwarding)]));
  expect((await box.xennet(`revert ${number}`)).stdout).toBe(`reverted ${number}\n`);
  expect(await comparable()).toBe(before);
  expect((await box.xennet(`revert ${number}`)).stdout).toBe(`reverted ${number}\n`);
  expect((await box.xennet("revert 1")).stdout).toMatch(/^error CONFIRMED 1 /);
});

test("a reboot inside the window goes back", async () => {
  await declare(box, [first()]);
  const token = newToken();
  await transact(box, [second(token)], 500);
  await box.reboot();
  await box.plug();
  expect(lines(await snapshot(box), "pending")).toEqual(["none"]);
  expect((await box.xennet("apply")).stdout).toBe("changed\n");
  const saved = await box.sh("iptables-save");
  expect([saved.includes(token), saved.includes(forwarding)]).toEqual([false, true]);
  expect(await isGone("/etc/xennet/pending")).toBe(true);
  expect(await box.sh("ls /etc/xennet/generations")).toBe("1\n");
});

test("a reboot inside the first window leaves nothing", async () => {
  await box.sh("rm /usr/local/sbin/xennet");
  const before = await hostState(box);
  await box.install();
  await transact(box, [first()], 500);
  await box.reboot();
  await box.plug();
  await box.xennet("apply");
  expect(await hostState(box)).toBe(before);
});

test("what another boot remembered is forgotten where /run outlives a boot", async () => {
  await declare(box, [first()]);
  await box.sh("cp -a /run/xennet /mnt/kept");
  await box.reboot();
  await box.sh("cp -a /mnt/kept /run/xennet");
  await box.plug();
  expect((await box.xennet("apply")).stdout).toBe("changed\n");
  expect(await box.sh("cat /etc/xennet/former")).toContain("forwarding xenbr0");
  expect(await box.sh("ip -4 -o addr show dev xapi1")).toContain("192.168.100.1/24");
});

test("the confirmation of an empty generation removes everything", async () => {
  await box.sh("rm /usr/local/sbin/xennet");
  const before = await hostState(box);
  await box.install();
  await declare(box, [first()]);
  const answer = await transact(box, [remove(forwarding)]);
  expect(lines(answer.stdout, "outcome")).toEqual([`${forwarding} ok`]);
  const confirmed = await box.xennet(`confirm ${pendingOf(answer)}`);
  expect(confirmed.stdout).toMatch(/^confirmed 2\nxennet-snapshot 1\n/);
  expect(lines(confirmed.stdout, "program")).toEqual(["none"]);
  expect(await hostState(box)).toBe(before);
});
