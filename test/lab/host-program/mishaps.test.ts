import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, portForward, put, remove, transact } from "./declarations.ts";
import { hostState, lines, snapshot } from "./host-state.ts";
import { unwrapTool, wrapTool } from "./wrapped-tool.ts";

let box: Box;
const forwarding = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
});
afterEach(() => box.close());

const declareForwarding = () => declare(box, [put(forwarding, hostForwarding(box, forwarding))]);
const rules = () => box.sh("iptables-save | grep -e ^-A");
const generation = async () => (await box.sh("cat /etc/xennet/confirmed")).trim();

const wrap = (tool: string, body: string) => wrapTool(box, tool, body);

/** awk that ends as if the kernel had killed it for its memory, in one mode of the program. */
const killAwk = (mode: string) => wrap("awk", `case "$*" in *mode=${mode}*) exit 137 ;; esac`);
/** awk whose last line is lost. */
const cutAwk = (mode: string) => wrap("awk", `case "$*" in *mode=${mode}*) $REAL "$@" | sed '$d'; exit 0 ;; esac`);

describe("an awk that dies", () => {
  test.each([
    ["is killed", killAwk],
    ["is cut short", cutAwk],
  ])("in the plan (it %s) never passes for a host with nothing to do", async (_how, damage) => {
    await declareForwarding();
    const before = await rules();
    await damage("plan");
    const applied = await box.xennet("apply");
    expect([applied.code, applied.stderr]).toEqual([65, expect.stringContaining("awk failed")]);
    expect((await box.xennet("remove")).code).toBe(65);
    const answer = await transact(box, [remove(forwarding)]);
    expect(answer.code).toBe(65);
    expect(answer.stdout).toMatch(/^error HOST_PROGRAM_FAILED awk failed/);
    expect(await rules()).toBe(before);
    expect(await box.sh("ls /usr/local/sbin/xennet /etc/cron.d/xennet /etc/init.d/xennet | wc -l")).toBe("3\n");
    expect(await generation()).toBe("1");
  });

  test.each([
    ["is killed", killAwk],
    ["is cut short", cutAwk],
  ])("when it says what is live (it %s) fails the change", async (_how, damage) => {
    await declareForwarding();
    const before = await rules();
    await damage("own");
    const token = newToken();
    const answer = await transact(box, [put(token, portForward(box, token, 80))]);
    expect(answer.stdout).not.toContain(`outcome ${token} ok`);
    expect(await generation()).toBe("1");
    await unwrapTool(box, "awk");
    expect((await box.xennet("apply")).code).toBe(0);
    expect(await rules()).toBe(before);
  });

  test.each([
    ["is killed", `exit 137`],
    ["writes nothing", `exit 0`],
    [
      "writes half",
      `$REAL "$@"; dir=$(printf '%s\\n' "$@" | sed -n 's/^dir=//p'); for f in "$dir"/*; do head -n 5 "$f" >/mnt/half; cat /mnt/half >"$f"; done; exit 0`,
    ],
  ])("when it writes the fragments (it %s) stores nothing", async (_how, body) => {
    await declareForwarding();
    await wrap("awk", `case "$*" in *mode=write*) ${body} ;; esac`);
    const before = await hostState(box);
    const token = newToken();
    const answer = await transact(box, [put(token, portForward(box, token, 80))]);
    expect([answer.code, answer.stdout]).toEqual([65, expect.stringMatching(/^error STORE_FAILED /)]);
    const withoutLast = (state: string) => state.replace(/.*\/etc\/xennet\/last.*\n/g, "");
    expect(withoutLast(await hostState(box))).toBe(withoutLast(before));
  });

  test("when it reads the transaction changes nothing", async () => {
    await declareForwarding();
    await killAwk("check");
    const before = await hostState(box);
    const answer = await transact(box, [remove(forwarding)]);
    expect([answer.code, answer.stdout]).toEqual([65, expect.stringMatching(/^error HOST_PROGRAM_FAILED /)]);
    expect(await hostState(box)).toBe(before);
  });

  test("when it selects the rules never passes for rules that were set", async () => {
    await declareForwarding();
    const before = await rules();
    await wrap("awk", `case "$*" in *tokens=*) exit 137 ;; esac`);
    const token = newToken();
    const answer = await transact(box, [put(token, portForward(box, token, 80))]);
    expect(answer.stdout).not.toContain(`outcome ${token} ok`);
    expect(await rules()).toBe(before);
  });
});

test("removal keeps program, hooks and declarations while a rule of ours is live", async () => {
  await declareForwarding();
  // Says that all is well and does nothing.
  await wrap("awk", `case "$*" in *mode=plan*) echo done; exit 0 ;; esac`);
  const before = await hostState(box);
  const answer = await box.xennet("remove");
  expect([answer.code, answer.stderr]).toEqual([65, expect.stringContaining("still live")]);
  expect(await hostState(box)).toBe(before);
});

describe("a fragment file that cannot be read", () => {
  const stray = newToken();
  const path = `/etc/xennet/generations/1/${stray}.fragment`;
  const damages: [string, string][] = [
    ["is cut short", `echo xennet-fragment 1 >${path}`],
    ["is a symbolic link", `ln -s /etc/xennet/generations/1/${forwarding}.fragment ${path}`],
    ["is a link to nothing", `ln -s /nowhere ${path}`],
    ["is a directory", `mkdir ${path}`],
  ];

  test.each(damages)("and %s is listed as damaged, and a remove of any incarnation drops it", async (_how, make) => {
    await declareForwarding();
    await box.sh(make);
    expect(lines(await snapshot(box), "damaged")).toEqual([stray]);
    expect((await box.xennet("status")).stdout).toMatch(new RegExp(`^DAMAGED .*${stray}`, "m"));
    const answer = await transact(box, [`remove ${stray} 0000000000000000\n`]);
    expect(lines(answer.stdout, "outcome")).toEqual([`${stray} ok`]);
    await box.xennet(`confirm ${pendingOf(answer)}`);
    expect(lines(await snapshot(box), "damaged")).toEqual([]);
    expect(await box.sh("ls /etc/xennet/generations/2")).toBe(`${forwarding}.fragment\n`);
  });

  test.each(damages)("and %s does not keep the program on the host", async (_how, make) => {
    await box.sh("rm /usr/local/sbin/xennet");
    const bare = await hostState(box);
    await box.install();
    await declareForwarding();
    await box.sh(make);
    const answer = await transact(box, [remove(forwarding)]);
    expect((await box.xennet(`confirm ${pendingOf(answer)}`)).code).toBe(0);
    expect(await hostState(box)).toBe(bare);
  });

  test("is not carried on when it bears a foreign name", async () => {
    await declareForwarding();
    await box.sh("cp /etc/xennet/generations/1/*.fragment /etc/xennet/generations/1/foreign.fragment");
    const web = newToken();
    await declare(box, [put(web, portForward(box, web, 80))]);
    expect((await box.sh("ls /etc/xennet/generations/2")).trim().split("\n")).toEqual(
      [`${forwarding}.fragment`, `${web}.fragment`].sort(),
    );
  });
});

test.each([
  ["the known bridges were lost", "rm /etc/xennet/bridges", "active"],
  ["xapi hangs", "rm /etc/xennet/bridges; echo hangs >/mnt/xapi", "waiting"],
  ["xapi hangs and somebody wiped /run", "rm -rf /run/xennet; echo hangs >/mnt/xapi", "active"],
])("status speaks for people also when %s", async (_when, mishap, state) => {
  await declareForwarding();
  await box.sh(mishap);
  const { code, stdout } = await box.xennet("status");
  expect(code).toBe(0);
  expect(stdout).toContain(`host-forwarding nat: ${state}`);
  expect(stdout).not.toMatch(/^resolve /m);
});

describe("a first transaction that cannot be stored leaves nothing of ours", () => {
  test.each([
    ["the number", "mkdir -p /etc/xennet/last.new"],
    ["the fragments", "mkdir -p /etc/xennet; : >/etc/xennet/generations"],
    ["the format", "mkdir -p /etc/xennet/format.new"],
    ["the pending generation", "mkdir -p /etc/xennet/pending.new"],
    ["the directory", ": >/etc/xennet"],
  ])("%s", async (_what, obstacle) => {
    await box.sh("rm /usr/local/sbin/xennet");
    const bare = await hostState(box);
    await box.install();
    await box.sh(obstacle);
    const answer = await transact(box, [put(forwarding, hostForwarding(box, forwarding))]);
    expect([answer.code, answer.stdout]).toEqual([65, expect.stringMatching(/^error STORE_FAILED /)]);
    expect(await hostState(box)).toBe(bare);
    expect(await box.sh("ls -d /run/xennet 2>/dev/null || true")).toBe("");
  });

  test("the lock's directory", async () => {
    await box.sh("rm /usr/local/sbin/xennet");
    const bare = await hostState(box);
    await box.install();
    await box.sh("mount -o remount,ro /run");
    const answer = await transact(box, [put(forwarding, hostForwarding(box, forwarding))]);
    expect([answer.code, answer.stdout]).toEqual([65, expect.stringMatching(/^error STORE_FAILED /)]);
    expect(await hostState(box)).toBe(bare);
  });
});

test.each(["everything", "one of two"])(
  "a failing iptables-restore when %s is removed is no refused rule",
  async (what) => {
    const web = newToken();
    await declare(box, [put(forwarding, hostForwarding(box, forwarding)), put(web, portForward(box, web, 80))]);
    const before = await rules();
    await wrap("iptables-restore", `case "$*" in *--help*) ;; *) echo 'no memory' >&2; exit 1 ;; esac`);
    const gone = what === "everything" ? [forwarding, web] : [web];
    const answer = await transact(box, gone.map(remove));
    expect(lines(answer.stdout, "outcome")).toEqual(
      gone.map((token) => `${token} error RESTORE_FAILED iptables-restore failed: no memory`),
    );
    expect(await rules()).toBe(before);
  },
);
