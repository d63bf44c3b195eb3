import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, makeBox, program } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, portForward, put, remove, transact } from "./declarations.ts";
import { chain, hostState, lines, snapshot } from "./host-state.ts";

let box: Box;
const token = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
});
afterEach(() => box.close());

/** An older release: what its hooks say differs in every file. */
function older(): string {
  const text = program()
    .replace(/^# xennet program \d+ /m, "# xennet program 1 ")
    .replace(/^VERSION=\d+$/m, "VERSION=1")
    .replace('echo "* * * * * root', 'echo "*/7 * * * * root')
    .replace("# description: Applies", "# description: As long ago, applies")
    .replace('KERNEL!=\\"vif*|tap*\\"', 'KERNEL!=\\"vif*\\"');
  expect(text.split("\n").filter((line, at) => line !== program().split("\n")[at])).toHaveLength(5);
  return text;
}

/** As the provider places a program. */
const install = (text: string) =>
  box.try(
    "cat >/mnt/new && chmod 700 /mnt/new && cp /mnt/new /usr/local/sbin/xennet.new && mv /usr/local/sbin/xennet.new /usr/local/sbin/xennet",
    text,
  );
const hooks = () =>
  box.sh(
    "for f in /etc/init.d/xennet /etc/cron.d/xennet /etc/udev/rules.d/95-xennet.rules; do stat -c '%n %a' $f; cat $f; done; ls -l /etc/rc.d/rc3.d | sed 's/.* \\(S09.*\\)/\\1/;1d'",
  );
const forwarding = () => put(token, hostForwarding(box, token));

/** The host as an older release leaves it; answers the hooks as today's program writes them. */
async function hostOfOlder(): Promise<string> {
  await declare(box, [forwarding()]);
  const current = await hooks();
  await declare(box, [remove(token)]);
  await install(older());
  await declare(box, [forwarding()]);
  expect((await hooks()).split("\n").filter((line, at) => line !== current.split("\n")[at])).toHaveLength(3);
  await install(program());
  return current;
}

test("hooks that an older program wrote are rewritten by the first transaction, though it changes nothing else", async () => {
  const current = await hostOfOlder();
  expect((await box.xennet("status")).stdout).toContain("MISSING, or not as this program writes them: the hooks");
  expect((await transact(box, [forwarding()])).stdout).toMatch(/^unchanged$/m);
  expect(await hooks()).toBe(current);
  expect((await box.xennet("status")).stdout).not.toContain("MISSING");

  const rules = await chain(box, "filter", "XENNET-FORWARD");
  expect(rules).not.toEqual([]);
  await box.sh("iptables -F XENNET-FORWARD");
  await box.sh("sed -n 's/^\\* \\* \\* \\* \\* root //p' /etc/cron.d/xennet | sh");
  expect(await chain(box, "filter", "XENNET-FORWARD")).toEqual(rules);
  await box.reboot();
  await box.plug();
  await box.sh("/etc/rc.d/rc3.d/S09xennet start");
  expect(lines(await snapshot(box), "missing")).toEqual([]);
});

test("they are rewritten with a change as well, and stay so when the change is taken back", async () => {
  const current = await hostOfOlder();
  const web = newToken();
  const number = pendingOf(await transact(box, [put(web, portForward(box, web, 8080))]));
  expect(await hooks()).toBe(current);
  await box.xennet(`revert ${number}`);
  expect(await hooks()).toBe(current);
  expect((await box.xennet("apply")).stdout).toBe("");
});

test("a transaction that is refused rewrites no hook", async () => {
  await hostOfOlder();
  const before = await hooks();
  const text = `xennet-transaction 1\nhost 00000000-0000-0000-0000-000000000000\nwindow 60\n${forwarding()}commit\n`;
  expect((await box.xennet("transact", text)).stdout).toMatch(/^error HOST_MISMATCH /);
  expect(await hooks()).toBe(before);
});

test("hooks that were removed by hand come back with the next transaction", async () => {
  await declare(box, [forwarding()]);
  const current = await hooks();
  await box.sh("rm /etc/cron.d/xennet /etc/init.d/xennet");
  expect(lines(await snapshot(box), "missing")).toEqual([
    `${token} hook /etc/init.d/xennet`,
    `${token} hook /etc/cron.d/xennet`,
  ]);
  await transact(box, [forwarding()]);
  expect(await hooks()).toBe(current);
  expect(lines(await snapshot(box), "missing")).toEqual([]);
});

test("a hook that somebody changed is missed, and one that an older program wrote is not", async () => {
  await hostOfOlder();
  await install(older());
  const seen = await box.try("sh -s snapshot", program());
  expect([seen.code, lines(seen.stdout, "missing")]).toEqual([0, []]);
  await install(program());
  expect((await transact(box, [forwarding()])).stdout).toMatch(/^unchanged$/m);
  await box.sh("sed -i 's/^/# /' /etc/cron.d/xennet");
  expect(lines(await snapshot(box), "missing")).toEqual([`${token} hooks as they were written`]);
  await transact(box, [forwarding()]);
  expect(lines(await snapshot(box), "missing")).toEqual([]);
});

test("a host whose declarations are of a newer format is refused, and stays as it is", async () => {
  await declare(box, [forwarding()]);
  await box.sh("echo 2 >/etc/xennet/format");
  const before = await hostState(box);
  for (const command of ["apply", "snapshot", "off", "confirm 1", "revert 1"]) {
    const { code, stdout } = await box.xennet(command);
    expect([command, code, stdout]).toEqual([command, 65, expect.stringMatching(/^error FORMAT_NEWER .* format 2, /)]);
  }
  expect((await transact(box, [remove(token)])).stdout).toMatch(/^error FORMAT_NEWER /);
  expect(await hostState(box)).toBe(before);
});
