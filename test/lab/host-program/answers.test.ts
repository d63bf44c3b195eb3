import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, makeBox, program } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, portForward, put, remove, transact } from "./declarations.ts";
import { hostState, lines, snapshot } from "./host-state.ts";
import { wrapIp, wrapTool } from "./wrapped-tool.ts";

let box: Box;
const forwarding = newToken();
const web = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
});
afterEach(() => box.close());

const first = () => put(forwarding, hostForwarding(box, forwarding));
/** Another network's forwarding; its bridge is there. */
async function second(token: string): Promise<string> {
  const network = box.network.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
  await box.sh(
    `echo '${network} xapi2' >>/mnt/networks; ip link show dev xapi2 2>/dev/null || ip link add xapi2 type bridge; ip link set xapi2 up`,
  );
  return put(token, hostForwarding({ network }, token, { name: "second", address: "192.168.101.1/24" }));
}
const withoutCounter = async () => (await hostState(box)).replace(/.*\/etc\/xennet\/last.*\n/g, "");
const outcomes = (answer: { stdout: string }) => lines(answer.stdout, "outcome");

test("only the operation whose address cannot be set fails, and says why", async () => {
  await declare(box, [first()]);
  const other = newToken();
  await wrapIp(
    box,
    `case "$*" in 'addr add 192.168.101'*) echo 'RTNETLINK answers: No buffer space' >&2; exit 2 ;; esac`,
  );
  const answer = await transact(box, [await second(other), put(web, portForward(box, web, 8080))]);
  expect(outcomes(answer)).toEqual([
    `${other} error NOT_KEPT the host does not keep what was set: address 192.168.101.1/24 (cannot set address of xapi2 to present: RTNETLINK answers: No buffer space)`,
    `${web} ok`,
  ]);
  await box.xennet(`confirm ${pendingOf(answer)}`);
  expect(
    lines(await snapshot(box), "fragment")
      .map((line) => line.split(" ")[0])
      .sort(),
  ).toEqual([forwarding, web].sort());
  expect(await box.sh("iptables-save")).not.toContain(other);
});

test("a removal whose address stays has failed, and everything goes on as before", async () => {
  await declare(box, [first()]);
  const before = await withoutCounter();
  await wrapIp(box, `case "$*" in 'addr del'*) echo 'RTNETLINK answers: No' >&2; exit 2 ;; esac`);
  const answer = await transact(box, [remove(forwarding)]);
  expect(outcomes(answer)).toEqual([
    expect.stringMatching(`^${forwarding} error NOT_KEPT a value of before .*RTNETLINK answers: No`),
  ]);
  expect(lines(answer.stdout, "missing")).toEqual([]);
  expect(await withoutCounter()).toBe(before);
});

test("a declaration that is sent again and cannot be kept is not answered with ok", async () => {
  await declare(box, [first()]);
  await wrapIp(box, `case "$*" in 'addr add'*) echo 'RTNETLINK answers: No' >&2; exit 2 ;; esac`);
  await box.sh("/mnt/real-ip addr flush dev xapi1");
  const answer = await transact(box, [first()]);
  expect(outcomes(answer)).toEqual([expect.stringMatching(`^${forwarding} error NOT_KEPT .*address 192.168.100.1/24`)]);
  expect(answer.stdout).toMatch(/^unchanged$/m);
  expect(lines(answer.stdout, "fragment")).toEqual([`${forwarding} active`]);
});

describe.each([
  ["vanishes", "ip link del xapi1"],
  ["vanishes and comes back", "ip link del xapi1; ip link add xapi1 type bridge; ip link set xapi1 up"],
])("a bridge that %s between two steps", (_what, happens) => {
  const once = (call: string) =>
    `case "$*" in ${call}) if mkdir /mnt/once 2>/dev/null; then ${happens.replaceAll("ip link", "$REAL link")}; fi ;; esac`;

  test.each(["'addr add'*", "'addr'", "'link set'*"])("(before ip %s) is no failure of a put", async (call) => {
    await wrapIp(box, once(call));
    const answer = await transact(box, [first()]);
    expect([answer.code, answer.stderr, outcomes(answer)]).toEqual([0, "", [`${forwarding} ok`]]);
    expect(lines(answer.stdout, "missing")).toEqual([]);
  });

  test("is no failure of a removal, which leaves nothing", async () => {
    await declare(box, [first()]);
    await wrapIp(box, once("'addr del'*"));
    const answer = await transact(box, [remove(forwarding)]);
    expect([answer.code, answer.stderr, outcomes(answer)]).toEqual([0, "", [`${forwarding} ok`]]);
    await box.xennet(`confirm ${pendingOf(answer)}`);
    expect(await box.sh("iptables-save; ip -4 addr; cat /proc/sys/net/ipv4/conf/xenbr0/forwarding")).not.toMatch(
      /XENNET|192\.168\.100|^1$/m,
    );
  });
});

describe("whatever fails says so on its standard output, with a code", () => {
  const failures = {
    ip: () => wrapIp(box, "exit 1"),
    "iptables-save": () => wrapTool(box, "iptables-save", "exit 3"),
    "iptables-restore": () => wrapTool(box, "iptables-restore", 'case "$*" in *--help*) ;; *) exit 1 ;; esac'),
    awk: () => wrapTool(box, "awk", "exit 137"),
    "awk's last line": () => wrapTool(box, "awk", `$REAL "$@" | sed '$d'; exit 0`),
  };
  test.each(Object.keys(failures) as (keyof typeof failures)[])("%s", async (tool) => {
    await declare(box, [first()]);
    const pending = pendingOf(await transact(box, [put(web, portForward(box, web, 8080))], 600));
    await failures[tool]();
    await box.sh("ip addr del 192.168.100.1/24 dev xapi1 2>/dev/null || true");
    for (const command of [
      "apply",
      "snapshot",
      "status",
      "off",
      "on",
      `confirm ${pending + 7}`,
      `revert ${pending}`,
      "apply",
      "remove",
      `remove ${forwarding}`,
    ]) {
      const { code, stdout } = await box.xennet(command);
      expect([command, code, code === 0 || /^error [A-Z_]+ \S.*$/m.test(stdout)]).toEqual([command, code, true]);
    }
    const answer = await transact(box, [remove(forwarding)]);
    expect(answer.stdout).toMatch(/^error [A-Z_]+ \S|^outcome \S+ error [A-Z_]+ \S/m);
  });

  test("because there is one way only to end so", () => {
    expect(program().match(/exit 65/g)).toHaveLength(1);
    expect(program()).toMatch(/^refuse\(\) .*\n(?: .*\n)* {2}exit 65\n/m);
  });
});
