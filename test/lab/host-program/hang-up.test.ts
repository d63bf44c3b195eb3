import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, put, remove, transaction } from "./declarations.ts";
import { eventually, hostState, lines, snapshot } from "./host-state.ts";
import { wrapIp, wrapTool } from "./wrapped-tool.ts";

let box: Box;
const token = newToken();
const second = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
});
afterEach(() => box.close());

const first = () => put(token, hostForwarding(box, token));
const renamed = () => put(token, hostForwarding(box, token, { name: "other", settings: ["proxy-arp on"] }));
const withoutCounter = async () =>
  (await hostState(box)).replace(/.*\/etc\/xennet\/(last|pending).*\n|^'\/etc\/alternatives.*\n/gm, "");

/** Runs a command of the program in a session of its own, which gets the signal wherever a tool is called that the pattern names. */
async function disturbed(signal: string, args: string, operations: readonly string[] = []): Promise<void> {
  await box.try("cat >/mnt/input", operations.length === 0 ? "" : transaction(box, operations, 60));
  await box.sh("rm -f /mnt/session /mnt/ended");
  // Never a group of nobody: that would be the one of this test.
  const send = `s=$(cat /mnt/session 2>/dev/null); case $s in '' | 0 | 1 | *[!0-9]*) ;; *) kill -${signal} "-$s" 2>/dev/null ;; esac`;
  await wrapIp(box, send);
  await wrapTool(box, "iptables-restore", send);
  await box.sh(
    `setsid sh -c 'echo $$ >/mnt/session; exec /usr/local/sbin/xennet ${args}' </mnt/input >/mnt/output 2>&1 || true`,
  );
  await box.sh("rm /mnt/session");
}

describe.each(["HUP", "INT", "PIPE", "TERM"])("SIG%s all along", (signal) => {
  test("does not keep a change, its confirmation and its way back from ending", async () => {
    await declare(box, [first()]);
    const before = await withoutCounter();
    await disturbed(signal, "transact", [renamed()]);
    expect(await box.sh("sed -e '/^xennet-snapshot/,$d' /mnt/output")).toMatch(
      new RegExp(`^outcome ${token} ok\npending 2 \\d+\n$`),
    );
    expect(lines(await snapshot(box), "missing")).toEqual([]);
    await disturbed(signal, "revert 2");
    expect(await withoutCounter()).toBe(before);
    await disturbed(signal, "transact", [renamed()]);
    await disturbed(signal, "confirm 3");
    expect(await box.sh("head -n 1 /mnt/output; cat /etc/xennet/confirmed")).toBe("confirmed 3\n3\n");
    await disturbed(signal, "transact", [remove(token)]);
    await disturbed(signal, "confirm 4");
    expect(await box.sh("iptables-save; ls /etc/xennet 2>&1 || true")).not.toMatch(/XENNET|confirmed/);
  });
});

test.each(["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])(
  "streams that are closed (%s) change nothing",
  async (closed) => {
    await declare(box, [first()]);
    await box.sh("ip addr del 192.168.100.1/24 dev xapi1; iptables -F XENNET-FORWARD");
    await box.sh(`/usr/local/sbin/xennet apply ${closed}`);
    expect(lines(await snapshot(box), "missing")).toEqual([]);
    const text = transaction(box, [put(second, hostForwarding(box, second, { address: "192.168.101.1/24" }))]);
    await box.try("cat >/mnt/input", text);
    await box.try(`/usr/local/sbin/xennet transact </mnt/input ${closed.replace("<&-", "")}`);
    const number = /^(\d+)/.exec(lines(await snapshot(box), "pending")[0] ?? "")?.[1];
    expect(number).toBe("2");
    await box.try(`/usr/local/sbin/xennet confirm 2 ${closed}`);
    expect(lines(await snapshot(box), "confirmed")).toEqual(["2"]);
    expect(await box.sh("ls /etc/xennet")).toBe("bridges\nconfirmed\nformat\nformer\ngenerations\nlast\n");
  },
);

test("a guard of a caller that was hung up still goes back in time", async () => {
  await declare(box, [first()]);
  const before = await withoutCounter();
  await box.try("cat >/mnt/input", transaction(box, [renamed()], 1));
  await box.sh("{ /usr/local/sbin/xennet transact </mnt/input; } 2>&1 | :");
  await eventually("the host is as it was", async () => (await withoutCounter()) === before);
});
