import { afterEach, beforeEach, expect, test } from "vitest";
import { isUnprintable } from "../../../provider/src/core/foreign-text.ts";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, portForward, put, transact } from "./declarations.ts";
import { spelled } from "./host-state.ts";

let box: Box;
const nat = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
  await declare(box, [put(nat, hostForwarding(box, nat))]);
});
afterEach(() => box.close());

const status = async () => (await box.xennet("status")).stdout;

test("status names the stack and project that declared, and counts hits under a heading", async () => {
  const text = await status();
  expect(text).toContain("generation 1 is confirmed");
  expect(text).toContain("host-forwarding nat: active\n");
  expect(text).toContain(
    "  declared by  stack dev of project shop, urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:HostForwarding::nat\n",
  );
  expect(text).toMatch(
    /^ {6}HITS {2}RULE\n {9}0 {2}filter -A XENNET-FORWARD -i xapi1 -o xenbr0 -m state --state INVALID /m,
  );
});

test("a declaration that awaits its confirmation is called pending, the others are not", async () => {
  const web = newToken();
  await transact(box, [put(web, portForward(box, web, 80))]);
  const text = await status();
  expect(text).toMatch(/^generation 2 is pending: the host goes back to 1 in \d+ s unless it is confirmed$/m);
  expect(text).toContain("port-forward web: active, pending\n");
  expect(text).toContain("host-forwarding nat: active\n");
});

test("a declaration that misses something on the host is not simply called active", async () => {
  await box.sh("iptables -F XENNET-FORWARD");
  expect(await status()).toContain("host-forwarding nat: active, but not whole\n");
});

test("of two forwards of one port the older is called shadowed, by the name of the newer", async () => {
  const [older, newer] = [newToken(), newToken()];
  await declare(box, [put(older, portForward(box, older, 80))]);
  expect(await status()).not.toContain("SHADOWED");
  await declare(box, [put(newer, portForward(box, newer, 80, "192.168.100.12:80").replace("name web", "name newer"))]);
  const text = await status();
  expect(text.match(/SHADOWED/g)).toHaveLength(1);
  expect(text).toContain("  SHADOWED     by newer: -d 10.0.0.1/32 -i xenbr0 -p tcp -m tcp --dport 80\n");
});

test("rules of others that come before ours are listed, those behind are not", async () => {
  expect(await status()).not.toContain("Rules of others");
  await box.sh("iptables -I FORWARD -s 192.0.2.7 -j DROP; iptables -A FORWARD -s 192.0.2.8 -j DROP");
  const [, listed] = (await status()).split("Rules of others that come before ours");
  expect(listed?.split("\n  filter ").map(spelled)).toContain("-A FORWARD -s 192.0.2.7/32 -j DROP");
  expect(listed).not.toContain("192.0.2.8");
});

test("texts of others cannot command the terminal, and what can be read stays", async () => {
  const web = newToken();
  const hostile = "Läufer \u009b2J\u0085 \u202ered\u200b \ufeff漢€";
  const named = portForward(box, web, 80).replace("\nname web", `\nname ${hostile}\ndescription ${hostile}`);
  await declare(box, [put(web, named)]);
  await box.sh(`iptables -I FORWARD -s 192.0.2.7 -m comment --comment '${hostile}' -j DROP`);
  const text = await status();
  const shown = "Läufer ?2J? ?red? ?漢€";
  expect(text).toContain(`\nport-forward ${shown}: active\n`);
  expect(text).toContain(`\n  description  ${shown}\n`);
  expect(text).toContain(` --comment "${shown}" -j DROP\n`);
  expect(text.split("\n").filter(isUnprintable)).toEqual([]);
});

test("help says what each command is for, and an unknown command is refused", async () => {
  const { code, stdout } = await box.xennet("help");
  expect(code).toBe(0);
  for (const command of ["status", "off", "on", "apply", "remove"])
    expect(stdout).toMatch(new RegExp(`^  xennet ${command} `, "m"));
  expect(await box.xennet("hlep")).toMatchObject({ code: 64, stdout: "" });
});
