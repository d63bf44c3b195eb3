import { expect, test } from "vitest";
import { fragmentText, HOST_UUID } from "../../support/dom0-double/fragment.ts";
import { XennetDouble } from "../../support/dom0-double/xennet-double.ts";

const TOKEN = "3f2a9c0d41b7";

function transaction(body: string, host = HOST_UUID): string {
  return `xennet-transaction 1\nhost ${host}\nwindow 30\n${body}commit\n`;
}

const putText = transaction(`put ${TOKEN}\n${fragmentText(TOKEN)}`);

test("a put is pending until it is confirmed, and a second transaction has to wait", () => {
  const xennet = new XennetDouble(HOST_UUID, { installed: 1 });
  expect(xennet.transact(putText).stdout).toContain(`outcome ${TOKEN} ok\npending 1 30\nxennet-snapshot 1\n`);
  expect(xennet.transact(putText)).toEqual({ stdout: "error PENDING 1 30\n", code: 75 });
  expect(xennet.confirmedTokens).toEqual([]);
  expect(xennet.run("confirm", 1, "").stdout).toContain("confirmed 1\n");
  expect(xennet.confirmedTokens).toEqual([TOKEN]);
});

test("what is there already is unchanged", () => {
  const xennet = new XennetDouble(HOST_UUID, { installed: 1 });
  xennet.transact(putText);
  xennet.run("confirm", 1, "");
  expect(xennet.transact(putText).stdout).toContain("unchanged\n");
  expect(xennet.pendingGeneration).toBeUndefined();
});

test("an unconfirmed generation goes when its window is over", () => {
  let now = 0;
  const xennet = new XennetDouble(HOST_UUID, { installed: 1, now: () => now });
  xennet.transact(putText);
  now = 30_000;
  expect(xennet.pendingGeneration).toBeUndefined();
  expect(xennet.run("confirm", 1, "")).toEqual({ stdout: "error EXPIRED 1\n", code: 65 });
});

test("a removal needs the incarnation, and the last one takes the program away", () => {
  const xennet = new XennetDouble(HOST_UUID, { installed: 1 });
  xennet.transact(putText);
  xennet.run("confirm", 1, "");
  const other = transaction(`remove ${TOKEN} ffffffffffffffff\n`);
  expect(xennet.transact(other).stdout).toContain(`outcome ${TOKEN} absent\nunchanged\n`);
  xennet.transact(transaction(`remove ${TOKEN} 0123456789abcdef\n`));
  expect(xennet.run("confirm", 2, "").stdout).toContain("program none\n");
});

test("another host and a cut transaction change nothing", () => {
  const xennet = new XennetDouble(HOST_UUID, { installed: 1 });
  expect(xennet.transact(transaction("", "another")).stdout).toBe(`error HOST_MISMATCH ${HOST_UUID}\n`);
  expect(xennet.transact(putText.replace("commit\n", "")).code).toBe(65);
  expect(xennet.pendingGeneration).toBeUndefined();
});

test("a revert takes back what is pending, not what is confirmed, and can be said twice", () => {
  const xennet = new XennetDouble(HOST_UUID, { installed: 1 });
  xennet.transact(putText);
  expect(xennet.run("revert", 2, "").code).toBe(75);
  expect(xennet.run("revert", 1, "").stdout).toBe("reverted 1\n");
  expect(xennet.run("revert", 1, "").stdout).toBe("reverted 1\n");
  xennet.transact(putText);
  xennet.run("confirm", 2, "");
  expect(xennet.run("confirm", 2, "").stdout).toContain("confirmed 2\n");
  expect(xennet.run("revert", 2, "")).toEqual({ stdout: "error CONFIRMED 2 is confirmed already\n", code: 65 });
});
