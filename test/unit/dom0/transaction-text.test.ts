import { expect, test } from "vitest";
import {
  assertSendable,
  parseConfirmation,
  parseTransactionAnswer,
  renderTransaction,
} from "../../../provider/src/dom0/transaction-text.ts";
import { fragmentText, HOST_UUID } from "../../support/dom0-double/fragment.ts";
import { XennetDouble } from "../../support/dom0-double/xennet-double.ts";

const [FIRST, SECOND, THIRD] = ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"];
const snapshot = new XennetDouble(HOST_UUID).run("snapshot", undefined, "").stdout;
const removals = [FIRST, SECOND, THIRD].map((token) => ({ op: "remove" as const, token, incarnation: "0".repeat(16) }));

test("a transaction is rendered as the host program reads it", () => {
  const text = renderTransaction({
    host: HOST_UUID,
    window: 30,
    changes: [
      { op: "put", token: FIRST, text: fragmentText(FIRST) },
      { op: "remove", token: SECOND, incarnation: "0123456789abcdef" },
    ],
  });
  expect(text).toBe(
    `xennet-transaction 1\nhost ${HOST_UUID}\nwindow 30\nput ${FIRST}\n${fragmentText(FIRST)}remove ${SECOND} 0123456789abcdef\ncommit\n`,
  );
});

test("an answer gives each change its result", () => {
  const answer = parseTransactionAnswer(
    `outcome ${FIRST} ok\noutcome ${SECOND} absent\noutcome ${THIRD} error RULE_REFUSED bad option "-x"\npending 7 30\n${snapshot}`,
    removals,
  );
  expect([...answer.results.values()]).toEqual([
    { token: FIRST, result: "ok" },
    { token: SECOND, result: "absent" },
    { token: THIRD, result: "error", code: "RULE_REFUSED", text: 'bad option "-x"' },
  ]);
  expect(answer.pending).toEqual({ generation: 7, seconds: 30 });
  expect(answer.snapshot.host).toBe(HOST_UUID);
});

test.each([
  ["an outcome is missing", `outcome ${FIRST} ok\noutcome ${SECOND} ok\nunchanged\n${snapshot}`],
  ["neither pending nor unchanged came", `outcome ${FIRST} ok\n`],
  ["a line is unknown", `outcome ${FIRST} perhaps\nunchanged\n${snapshot}`],
  ["the pending line is malformed", `pending 7\n${snapshot}`],
])("an answer in which %s is refused", (_what, text) => {
  expect(() => parseTransactionAnswer(text, removals)).toThrow(expect.objectContaining({ code: "ANSWER_MALFORMED" }));
});

test("a confirmation of another generation is refused", () => {
  expect(parseConfirmation(`confirmed 7\n${snapshot}`, 7).host).toBe(HOST_UUID);
  expect(() => parseConfirmation(`confirmed 8\n${snapshot}`, 7)).toThrow(/expected "confirmed 7"/);
});

test("only changes that the host can read in one way are sent", () => {
  const put = (token: string, text: string) => ({ op: "put" as const, token, text });
  const good = fragmentText(FIRST);
  expect(() => assertSendable(put(FIRST, good))).not.toThrow();
  const bad = [
    put("AAAAAAAAAAAA", good),
    put(SECOND, good),
    put(FIRST, good.slice(0, -1)),
    put(FIRST, `${good}end\n`),
    put(FIRST, good.replace("name web", "name we\rb")),
    put(FIRST, good.replace("xennet-fragment 1", "xennet-fragment 2")),
    { op: "remove" as const, token: FIRST, incarnation: "x\ncommit" },
  ];
  for (const change of bad) {
    expect(() => assertSendable(change)).toThrow(expect.objectContaining({ code: "FRAGMENT_MALFORMED" }));
  }
});
