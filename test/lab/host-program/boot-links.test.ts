import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chkconfig } from "../dom0-tree.ts";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, put, remove, transact } from "./declarations.ts";
import { hostState, lines, snapshot } from "./host-state.ts";

let box: Box;
const token = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
  await box.sh("mkdir -p /etc/rc.d/rc2.d /etc/rc.d/rc4.d /etc/rc.d/rc5.d; ln -s ../init.d /etc/rc.d/init.d");
});
afterEach(() => box.close());

const forwarding = () => put(token, hostForwarding(box, token));
const missing = async () => lines(await snapshot(box), "missing");
const links = async () => (await box.sh("ls -d /etc/rc.d/rc?.d/*xennet 2>/dev/null || true")).split("\n").slice(0, -1);
const started = [2, 3, 4, 5].map((level) => `/etc/rc.d/rc${level}.d/S09xennet`);
const isLost = (...lost: string[]) => lost.map((link) => `${token} hook ${link}`);

const PROGRAM = "/opt/xensource/bin/chkconfig";
const putChkconfig = (text: string) =>
  box.sh(`cat >${PROGRAM} <<'SCRIPT'\n${text}SCRIPT\nchmod 755 ${PROGRAM}; mkdir -p /etc/rc.d/rc0.d`);

test("links at boot that were removed are missed, and the next transaction makes them again", async () => {
  await declare(box, [forwarding()]);
  expect([await links(), await missing()]).toEqual([started, []]);
  const whole = await hostState(box);
  expect(lines(await snapshot(box), "file")).toEqual(expect.arrayContaining(started));

  await box.sh("rm /etc/rc.d/rc3.d/S09xennet");
  expect(await missing()).toEqual(isLost("/etc/rc.d/rc3.d/S09xennet"));
  expect((await box.xennet("status")).stdout).toContain("MISSING, or not as this program writes them: the hooks");
  await box.sh("rm /etc/rc.d/rc?.d/S09xennet");
  expect(await missing()).toEqual(isLost(...started));
  expect((await transact(box, [forwarding()])).stdout).toMatch(/^unchanged$/m);
  expect([await missing(), await hostState(box)]).toEqual([[], whole]);
  expect((await box.xennet("status")).stdout).not.toContain("MISSING");
});

test("a level whose link says stop is missed, and started again", async () => {
  await declare(box, [forwarding()]);
  const whole = await hostState(box);
  await box.sh("cd /etc/rc.d/rc5.d && mv S09xennet K91xennet");
  expect(await missing()).toEqual(isLost("/etc/rc.d/rc5.d/S09xennet"));
  await transact(box, [forwarding()]);
  expect(await hostState(box)).toBe(whole);
});

test("a link that leads nowhere is no hook, and of a script that is gone only the script is told", async () => {
  await declare(box, [forwarding()]);
  const whole = await hostState(box);
  await box.sh("ln -sfn /nowhere /etc/rc.d/rc4.d/S09xennet");
  expect(await missing()).toEqual([`${token} hooks as they were written`]);
  await transact(box, [forwarding()]);
  expect(await hostState(box)).toBe(whole);
  await box.sh("rm /etc/init.d/xennet");
  expect(await missing()).toEqual(isLost("/etc/init.d/xennet"));
});

const written = [`${token} hooks as they were written`];

test.each([
  ["a plain file", "rm S09xennet; echo hi >S09xennet", written],
  ["a link to another file", "ln -sfn /etc/passwd S09xennet", written],
  ["a link to a directory", "ln -sfn /etc S09xennet", written],
  ["a link to itself", "ln -sfn S09xennet S09xennet", written],
  [
    "a link of another number to another file",
    "rm S09xennet; ln -s /etc/passwd S12xennet",
    isLost("/etc/rc.d/rc3.d/S09xennet"),
  ],
] as const)("%s is no link to the script, and is replaced", async (_what, change, told) => {
  await declare(box, [forwarding()]);
  const whole = await hostState(box);
  await box.sh(`cd /etc/rc.d/rc3.d && ${change}`);
  expect(await missing()).toEqual(told);
  expect(await transact(box, [forwarding()])).toMatchObject({ code: 0, stderr: "" });
  expect([await missing(), await links()]).toEqual([[], started]);
  expect(await hostState(box)).toBe(whole);
});

test("a link that leads to the script counts beside one that leads nowhere", async () => {
  await declare(box, [forwarding()]);
  await box.sh("ln -s /nowhere /etc/rc.d/rc3.d/S12xennet; ln -s /etc/passwd /etc/rc.d/rc4.d/S01xennet");
  expect(await missing()).toEqual([]);
  expect(await box.xennet("remove")).toMatchObject({ code: 0, stderr: "" });
  expect(await links()).toEqual([]);
});

test.each(["/etc/rc.d/rc3.d/S09xennet", "/etc/init.d/xennet", "/etc/cron.d/xennet"])(
  "a directory %s is told, stays in the way, and is named by a removal",
  async (path) => {
    await box.sh("rm /usr/local/sbin/xennet");
    const bare = await hostState(box);
    await box.install();
    await declare(box, [forwarding()]);
    await box.sh(`rm ${path}; mkdir ${path}; touch ${path}/theirs`);
    expect(await missing()).toEqual(isLost(path));
    const told = `xennet: ${path} is a directory, which xennet neither replaces nor removes\n`;
    expect(await transact(box, [forwarding()])).toMatchObject({ code: 0, stderr: told });
    expect(await missing()).toEqual(isLost(path));
    expect(await box.xennet("remove")).toEqual({
      ...{ code: 65, stderr: told },
      stdout: `error LEFT_BEHIND xennet was removed from this host, except for ${path}: see to that by hand.\n`,
    });
    expect(await box.sh(`ls ${path}`)).toBe("theirs\n");
    await box.sh(`rm -r ${path}`);
    expect(await hostState(box)).toBe(bare);
  },
);

test("the confirmation that removes everything tells what could not be taken away", async () => {
  await declare(box, [forwarding()]);
  const answer = await transact(box, [remove(token)]);
  await box.sh("mount --bind /etc/rc.d/rc3.d /etc/rc.d/rc3.d && mount -o remount,bind,ro /etc/rc.d/rc3.d");
  const confirmed = await box.xennet(`confirm ${pendingOf(answer)}`);
  expect(lines(confirmed.stdout, "left")).toEqual(["/etc/rc.d/rc3.d/S09xennet"]);
});

test("a link that cannot be removed is named", async () => {
  await declare(box, [forwarding()]);
  await box.sh("mount --bind /etc/rc.d/rc3.d /etc/rc.d/rc3.d && mount -o remount,bind,ro /etc/rc.d/rc3.d");
  const path = "/etc/rc.d/rc3.d/S09xennet";
  expect(await box.xennet("remove")).toEqual({
    ...{ code: 65, stderr: `xennet: cannot remove ${path}\n` },
    stdout: `error LEFT_BEHIND xennet was removed from this host, except for ${path}: see to that by hand.\n`,
  });
  expect(await links()).toEqual([path]);
});

// Without root there is no other owner in a box.
const ofAnother = process.getuid?.() === 0 ? ["chown 1"] : [];

test.each(["chmod 664", "chmod 646", "chmod 755", "chmod 244", ...ofAnother, "ln -f /etc/cron.d/xennet /etc/x; ls"])(
  "a cron file that cron refuses is missed: %s",
  async (change) => {
    await declare(box, [forwarding()]);
    const whole = await hostState(box);
    await box.sh(`${change} /etc/cron.d/xennet`);
    expect(await missing()).toEqual(written);
    await transact(box, [forwarding()]);
    await box.sh("rm -f /etc/x");
    expect([await missing(), await hostState(box)]).toEqual([[], whole]);
    await box.sh("chmod 600 /etc/cron.d/xennet");
    expect(await missing()).toEqual([]);
  },
);

test("a level that the host does not have is not missed, nor is any where there are none", async () => {
  await declare(box, [forwarding()]);
  await box.sh("rm -r /etc/rc.d/rc2.d");
  expect(await missing()).toEqual([]);
  await box.sh("rm -r /etc/rc.d");
  expect(await missing()).toEqual([]);
  expect((await transact(box, [forwarding()])).stdout).toMatch(/^unchanged$/m);
  expect(await box.try("ls /etc/rc.d")).toMatchObject({ code: 2 });
});

test("a removal takes every link along, also where the script is gone", async () => {
  const bare = await hostState(box);
  await declare(box, [forwarding()]);
  await box.sh("cd /etc/rc.d && mv rc2.d/S09xennet rc2.d/K91xennet && mv rc3.d/S09xennet rc3.d/S11xennet");
  await box.sh("rm /etc/init.d/xennet");
  await box.xennet("remove");
  expect(await links()).toEqual([]);
  await box.install();
  expect(await hostState(box)).toBe(bare);
});

describe("with chkconfig", () => {
  test("links are made by it, and again after it switched them off or somebody removed them", async () => {
    await putChkconfig(chkconfig());
    const bare = await hostState(box);
    await declare(box, [forwarding()]);
    const whole = await hostState(box);
    expect(await links()).toEqual(["/etc/rc.d/rc0.d/K91xennet", ...started]);
    for (const [change, lost] of [
      [`${PROGRAM} xennet off`, started],
      ["rm /etc/rc.d/rc3.d/S09xennet", started.slice(1, 2)],
      [`${PROGRAM} --del xennet`, started],
    ] as const) {
      await box.sh(change);
      expect([change, await missing()]).toEqual([change, isLost(...lost)]);
      await transact(box, [forwarding()]);
      expect([await missing(), await hostState(box)]).toEqual([[], whole]);
    }
    await box.xennet("remove");
    await box.install();
    expect(await hostState(box)).toBe(bare);
  });

  test("another number than ours is as good, as it may go by what the script requires", async () => {
    await putChkconfig(chkconfig().replaceAll("S$start", "S12"));
    await declare(box, [forwarding()]);
    expect(await missing()).toEqual([]);
    expect(await links()).toEqual(["/etc/rc.d/rc0.d/K91xennet", ...started.map((link) => link.replace("S09", "S12"))]);
    await box.sh("rm /etc/rc.d/rc5.d/S12xennet");
    expect(await missing()).toEqual(isLost("/etc/rc.d/rc5.d/S09xennet"));
  });

  const prints = (code: number) =>
    `printf '#!/bin/sh\\necho outcome x; echo pending 9 9; echo why >&2; exit ${code}\\n' >/opt/xensource/bin/chkconfig; chmod 755 /opt/xensource/bin/chkconfig`;

  test("one that fails is not relied on, and what it prints is no answer of the program", async () => {
    await box.sh(prints(1));
    const answer = await transact(box, [forwarding()]);
    // That it is pending is said by the snapshot, too.
    const pending = expect.stringMatching(/^pending 1 /);
    expect([answer.stdout.match(/^(outcome|pending) .*/gm), answer.stderr]).toEqual([
      [`outcome ${token} ok`, pending, pending],
      "why\nxennet: chkconfig --add xennet failed\nwhy\nxennet: chkconfig xennet on failed\n",
    ]);
    await box.xennet("confirm 1");
    expect([await links(), await missing()]).toEqual([started, []]);
  });

  test("what it prints is no answer of a removal", async () => {
    await declare(box, [forwarding()]);
    await box.sh(prints(0));
    expect((await box.xennet("remove")).stdout).toBe("Everything of xennet was removed from this host.\n");
  });
});
