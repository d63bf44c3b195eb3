import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, backends, makeBox } from "./box.ts";
import {
  declare,
  hostForwarding,
  newToken,
  pendingOf,
  portForward,
  put,
  remove,
  transact,
  transaction,
} from "./declarations.ts";
import { hostState, lines, snapshot } from "./host-state.ts";

/** The number last handed out is used up by a refused transaction too. */
const withoutCounter = (state: string): string => state.replace(/.*\/etc\/xennet\/last.*\n/g, "");

describe.each(backends())("transact, iptables %s", (backend) => {
  let box: Box;
  const forwarding = newToken();

  beforeEach(async () => {
    box = await makeBox({ backend });
    await box.plug();
    await declare(box, [put(forwarding, hostForwarding(box, forwarding))]);
  });
  afterEach(() => box.close());

  test("answers with an outcome for each operation, the pending generation and a snapshot", async () => {
    const web = newToken();
    const { code, stdout } = await transact(box, [put(web, portForward(box, web, 8080)), remove("ffffffffffff")], 30);
    expect(code).toBe(0);
    const answer = stdout.split("\n");
    expect(answer.slice(0, 4)).toEqual([
      `outcome ${web} ok`,
      "outcome ffffffffffff absent",
      expect.stringMatching(/^pending 2 (30|2\d)$/),
      "xennet-snapshot 1",
    ]);
    expect(answer.slice(-2)).toEqual(["end", ""]);
  });

  test("what is declared and live already is unchanged, and stays the fragment that it was", async () => {
    const before = await snapshot(box);
    const { code, stdout } = await transact(box, [put(forwarding, hostForwarding(box, forwarding))]);
    expect([code, stdout]).toEqual([0, `outcome ${forwarding} ok\nunchanged\n${before}`]);
  });

  test("what is declared already but was damaged on the host is healed at once", async () => {
    const before = await hostState(box);
    await box.sh("iptables -F XENNET-FORWARD");
    const { stdout } = await transact(box, [put(forwarding, hostForwarding(box, forwarding))]);
    expect(stdout).toContain("\nunchanged\n");
    expect(await hostState(box)).toBe(before);
  });

  // -j NOSUCH fails already in the test of iptables-restore; SNAT in PREROUTING passes it, and only the kernel refuses.
  test.each([
    ["the test refuses", "-j NOSUCH"],
    ["the kernel refuses", "-j SNAT --to-source 10.0.0.1"],
  ])("a fragment whose rules %s fails alone", async (_who, target) => {
    const [good, bad, other] = [newToken(), newToken(), newToken()];
    const broken = portForward(box, bad, 81).replace(/-j DNAT --to-destination \S+/, target);
    const answer = await transact(box, [
      put(good, portForward(box, good, 80)),
      put(bad, broken),
      put(other, portForward(box, other, 82)),
    ]);
    expect(lines(answer.stdout, "outcome")).toEqual([
      `${good} ok`,
      expect.stringMatching(new RegExp(`^${bad} error RULE_REFUSED .*ip`)),
      `${other} ok`,
    ]);
    await box.xennet(`confirm ${pendingOf(answer)}`);
    const saved = await box.sh("iptables-save");
    expect([saved.includes(good), saved.includes(bad), saved.includes(other)]).toEqual([true, false, true]);
    expect(await snapshot(box)).not.toContain(bad);
    expect(await box.xennet("apply")).toMatchObject({ code: 0, stdout: "" });
  });

  test("a refused change of a fragment leaves the version that works", async () => {
    const before = await hostState(box);
    const changed = hostForwarding(box, forwarding).replace("-j SNAT --to-source @EXT_IP@", "-j NOSUCH");
    const answer = await transact(box, [put(forwarding, changed)]);
    expect(lines(answer.stdout, "outcome")[0]).toMatch(/ error RULE_REFUSED /);
    expect(answer.stdout).toContain("\nunchanged\n");
    expect(withoutCounter(await hostState(box))).toBe(withoutCounter(before));
  });

  test("remove needs the incarnation as well as the token", async () => {
    const { stdout } = await transact(box, [remove(forwarding).replace("9e107d9d372bb682", "0000000000000000")]);
    expect(stdout).toMatch(new RegExp(`^outcome ${forwarding} absent\nunchanged\n`));
  });

  test("a second transaction is told who is pending", async () => {
    const [one, two] = [newToken(), newToken()];
    await transact(box, [put(one, portForward(box, one, 80))], 30);
    const refused = await transact(box, [put(two, portForward(box, two, 81))], 30);
    expect([refused.code, refused.stdout]).toEqual([75, expect.stringMatching(/^error PENDING 2 (30|2\d)\n$/)]);
  });

  test("a format newer than the program is refused", async () => {
    await box.sh("echo 2 >/etc/xennet/format");
    const token = newToken();
    const refused = await transact(box, [put(token, portForward(box, token, 80))]);
    expect([refused.code, refused.stdout]).toEqual([65, expect.stringMatching(/^error FORMAT_NEWER /)]);
    expect((await box.xennet("apply")).code).toBe(65);
  });
});

describe("a refused transaction leaves a bare host bare", () => {
  let box: Box;
  const token = newToken();
  beforeEach(async () => {
    box = await makeBox();
  });
  afterEach(() => box.close());

  const cases: [string, (box: Box) => string, RegExp][] = [
    [
      "without commit",
      (b) => transaction(b, [put(token, hostForwarding(b, token))]).replace("commit\n", ""),
      /^error MALFORMED .*commit/,
    ],
    [
      "cut inside a fragment",
      (b) => transaction(b, [put(token, hostForwarding(b, token))]).slice(0, 400),
      /^error MALFORMED /,
    ],
    [
      "for another host",
      (b) => transaction(b, []).replace(b.hostUuid, "00000000-0000-0000-0000-000000000000"),
      /^error HOST_MISMATCH [0-9a-f-]{36}$/m,
    ],
    [
      "with an unknown operation",
      (b) => transaction(b, ["destroy everything\n"]),
      /^error MALFORMED line 4: destroy everything/,
    ],
    ["of a newer format", (b) => transaction(b, []).replace("transaction 1", "transaction 2"), /^error FORMAT_NEWER /],
    ["with an endless window", (b) => transaction(b, [], 86_400), /^error MALFORMED /],
    [
      "with two operations on one token",
      (b) => transaction(b, [remove(token), remove(token)]),
      /^error MALFORMED two operations/,
    ],
    ["that is empty", () => "", /^error MALFORMED /],
  ];
  test.each(cases)("%s", async (_what, text, error) => {
    const before = await hostState(box);
    const refused = await box.xennet("transact", text(box));
    expect(refused.code).toBe(65);
    expect(refused.stdout).toMatch(error);
    expect(await hostState(box)).toBe(before);
    expect(await box.sh("ls -d /run/xennet 2>/dev/null || true")).toBe("");
  });

  test("with firewalld active", async () => {
    const before = await hostState(box);
    await box.sh(
      'printf \'#!/bin/sh\\n[ "$*" = "is-active firewalld" ]\\n\' >/mnt/systemctl; chmod 755 /mnt/systemctl',
    );
    await box.sh(
      "for s in /usr/bin/systemctl /bin/systemctl; do [ ! -e $s ] || mount --bind /mnt/systemctl $s; done; cp /mnt/systemctl /opt/xensource/bin/",
    );
    const refused = await transact(box, [put(token, hostForwarding(box, token))]);
    expect([refused.code, refused.stdout]).toEqual([65, expect.stringMatching(/^error FIREWALLD /)]);
    expect(await hostState(box)).toBe(before);
  });
});

describe("text in fragments is data", () => {
  let box: Box;
  beforeEach(async () => {
    box = await makeBox();
    await box.plug();
  });
  afterEach(() => box.close());

  const rule = (end: string) => (fragment: string) =>
    fragment.replace(/-j SNAT.*/, `-j SNAT --to-source @EXT_IP@${end}`);
  const attacks: [string, (fragment: string) => string][] = [
    ["a shell substitution in a rule", rule(" $(touch /mnt/owned)")],
    ["a backtick in a rule", rule(" `touch /mnt/owned`")],
    ["a semicolon in a rule", rule("; touch /mnt/owned")],
    ["a quote in a rule", rule("' ; touch /mnt/owned '")],
    ["another table in a rule", rule(" -t filter")],
    ["another command in a rule", rule(" -D FORWARD 1")],
    ["a second comment", rule(" -m comment --comment xennet-000000000000")],
    ["an unknown role", rule(" -o @SECRET@")],
    ["a rule for a chain of others", (f) => f.replace("-A XENNET-POSTROUTING", "-A POSTROUTING")],
    ["a chain of the other table", (f) => f.replace("filter -A XENNET-INPUT", "nat -A XENNET-INPUT")],
    ["a rule that deletes", (f) => f.replace("-A XENNET-POSTROUTING", "-D XENNET-POSTROUTING")],
    ["an interface with a path", (f) => f.replace("external-interface auto", "external-interface ../../x")],
    ["an interface with a substitution", (f) => f.replace("external-interface auto", "external-interface $(reboot)")],
    [
      "an address with an option",
      (f) => f.replace("setting address 192.168.100.1/24", "setting address 192.168.100.1/24 dev lo"),
    ],
    [
      "an address that is none",
      (f) => f.replace("setting address 192.168.100.1/24", "setting address 192.168.100.256/24"),
    ],
    ["an unknown setting", (f) => f.replace("setting arp on", "setting sysctl kernel.panic=1")],
    ["an unknown key", (f) => f.replace("kind host-forwarding", "exec touch /mnt/owned\nkind host-forwarding")],
    ["a network that is no UUID", (f) => f.replace(/^network .*/m, "network ; touch /mnt/owned")],
    ["a token that is a path", (f) => f.replace(/^token .*/m, "token ../../evil")],
    ["a terminal's escape in a name", (f) => f.replace("name nat", "name \u001b]0;owned\u0007")],
    ["a serial of its own", (f) => f.replace("name nat", "name nat\nserial 999999")],
    ["a newer fragment format", (f) => f.replace("xennet-fragment 1", "xennet-fragment 2")],
  ];
  test.each(attacks)("%s is refused, and its neighbour is not", async (_what, change) => {
    const [bad, good] = [newToken(), newToken()];
    const answer = await transact(box, [
      put(bad, change(hostForwarding(box, bad))),
      put(good, portForward(box, good, 80)),
    ]);
    expect(answer.code).toBe(0);
    expect(lines(answer.stdout, "outcome")).toEqual([
      expect.stringMatching(new RegExp(`^${bad} error FRAGMENT_INVALID .`)),
      `${good} ok`,
    ]);
    expect(answer.stdout).not.toContain("\u001b");
    expect(await box.sh("ls /mnt/owned 2>/dev/null || true")).toBe("");
    expect(await box.sh("iptables-save")).not.toContain(bad);
  });

  test("a name and an owner may hold anything that prints", async () => {
    const token = newToken();
    const odd = `it's "$(touch /mnt/owned)" \`x\` ; * %s \\n é`;
    await declare(box, [put(token, hostForwarding(box, token, { name: odd }))]);
    expect(lines(await snapshot(box), "name")).toEqual([odd]);
    expect((await box.xennet("status")).stdout).toContain(`host-forwarding ${odd}: active`);
    expect(await box.sh("ls /mnt/owned 2>/dev/null || true")).toBe("");
  });
});
