import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import {
  declare,
  hostForwarding,
  newToken,
  pendingOf,
  portForward,
  put,
  transact,
  transaction,
} from "./declarations.ts";
import { hostState, lines, snapshot } from "./host-state.ts";

let box: Box;
const forwarding = newToken();
const web = newToken();
const path = `/etc/xennet/generations/1/${web}.fragment`;

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
  await declare(box, [put(forwarding, hostForwarding(box, forwarding)), put(web, portForward(box, web, 8080))]);
});
afterEach(() => box.close());

test.each([
  ["was cut short", `head -c 300 ${path} >/mnt/x && cat /mnt/x >${path}`],
  ["is empty", `: >${path}`],
  ["lost its end", `sed -i '$d' ${path}`],
  ["has text after its end", `echo 'rule 1 filter x' >>${path}`],
  ["was changed into another command", `sed -i 's/-j DNAT.*/-j DNAT; reboot/' ${path}`],
  ["bears another fragment's token", `cp /etc/xennet/generations/1/${forwarding}.fragment ${path}`],
])("a fragment that %s is left out, and the others work on", async (_how, damage) => {
  await box.sh(damage);
  expect((await box.xennet("apply")).code).toBe(0);
  const saved = await box.sh("iptables-save");
  expect([saved.includes(web), saved.includes(forwarding)]).toEqual([false, true]);
  expect(lines(await snapshot(box), "fragment")).toEqual([`${forwarding} active`]);
  expect((await box.xennet("status")).stdout).toContain(`DAMAGED ${path}`);
});

test("a damaged fragment is replaced by a new put of its token", async () => {
  await box.sh(`: >${path}`);
  const answer = await transact(box, [put(web, portForward(box, web, 8080))]);
  await box.xennet(`confirm ${pendingOf(answer)}`);
  expect(lines(await snapshot(box), "fragment").sort()).toEqual([`${forwarding} active`, `${web} active`].sort());
});

test("a number of the confirmed generation that a power cut destroyed changes nothing on the host", async () => {
  const before = await box.sh("iptables-save | grep -e ^-A");
  await box.sh(": >/etc/xennet/confirmed");
  const refused = await box.xennet("apply");
  expect([refused.code, refused.stdout]).toEqual([65, expect.stringMatching(/^error CONFIRMED_UNREADABLE /)]);
  expect(await box.sh("iptables-save | grep -e ^-A")).toBe(before);
});

describe("a number of the confirmed generation that is missing", () => {
  const losses: [string, string][] = [
    ["is gone", "rm /etc/xennet/confirmed"],
    ["is a directory", "rm /etc/xennet/confirmed; mkdir /etc/xennet/confirmed"],
    ["is a link to nothing", "ln -sfn /nowhere /etc/xennet/confirmed"],
  ];
  const commands = (): [string, string][] => [
    ["apply", ""],
    ["snapshot", ""],
    ["off", ""],
    ["revert 7", ""],
    ["confirm 7", ""],
    [`remove ${web}`, ""],
    ["transact", transaction(box, [put(newToken(), portForward(box, newToken(), 8081))])],
  ];

  test.each(losses)("(its file %s) is never taken for a host with nothing declared", async (_how, lose) => {
    await box.sh(lose);
    const before = await hostState(box);
    for (const [command, input] of commands()) {
      const refused = await box.xennet(command, input);
      expect([command, refused.code, refused.stdout]).toEqual([
        ...[command, 65, expect.stringMatching(/^error CONFIRMED_UNREADABLE /)],
      ]);
    }
    expect(await hostState(box)).toBe(before);
    await box.sh("rm -rf /etc/xennet/confirmed; echo 1 >/etc/xennet/confirmed");
    expect(await box.xennet("apply")).toMatchObject({ code: 0, stdout: "" });
  });

  test.each(losses)("(its file %s) is no obstacle to removing everything", async (_how, lose) => {
    await box.sh(lose);
    expect((await box.xennet("remove")).code).toBe(0);
    expect(await box.sh("iptables-save; ls /etc")).not.toMatch(/xennet/i);
  });

  test("is noticed while a change is pending, and when that is over", async () => {
    const before = await box.sh("iptables-save | grep -e ^-A");
    const number = pendingOf(await transact(box, [put(web, portForward(box, web, 8081))], 500));
    await box.sh("rm /etc/xennet/confirmed");
    const pending = await box.sh("iptables-save | grep -e ^-A");
    expect(pending).not.toBe(before);
    expect((await box.xennet(`revert ${number}`)).stdout).toMatch(/^error CONFIRMED_UNREADABLE /);
    await box.sh(`sed -i 's/ [0-9]*$/ 1/' /etc/xennet/pending`);
    expect((await box.xennet("apply")).stdout).toMatch(/^error CONFIRMED_UNREADABLE /);
    expect(await box.sh("iptables-save | grep -e ^-A")).toBe(pending);
  });
});

test.each([["garbage"], [""], ["2 x"], ["99 BOOT 999999999"], ["../../.. BOOT 999999999"]])(
  "a pending file that says %j is dropped",
  async (text) => {
    await box.sh(`echo '${text}' | sed "s/BOOT/$(cat /proc/sys/kernel/random/boot_id)/" >/etc/xennet/pending`);
    expect((await box.xennet("apply")).code).toBe(0);
    expect(lines(await snapshot(box), "confirmed")).toEqual(["1"]);
    expect(await box.sh("ls /etc/xennet")).not.toContain("pending");
  },
);

test.each(["", "explode", "confirm", "confirm 1 2", "apply now", "revert"])(
  "the command %j is refused with the usage",
  async (args) => {
    const refused = await box.xennet(args);
    expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining("usage: xennet apply")]);
  },
);

test.each(["x", "1;reboot", "-1", "99999999999999999999"])("confirm %j names no generation", async (number) => {
  expect(await box.xennet(`confirm '${number}'`)).toMatchObject({ code: 65, stdout: "error EXPIRED 0\n" });
});
