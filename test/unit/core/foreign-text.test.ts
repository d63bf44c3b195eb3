import fc from "fast-check";
import { expect, test } from "vitest";
import { XennetError } from "../../../provider/src/core/errors.ts";
import { isUnprintable, ownLines, printable, printableText, quoted } from "../../../provider/src/core/foreign-text.ts";

test("what can be read stays, everything else becomes visible", () => {
  const readable = 'Müller, 漢字, "a\\b", نام‌ها, 👩‍👩‍👧, é, €';
  expect(printable(readable)).toBe(readable);
  expect(isUnprintable(readable)).toBe(false);
  expect(printable("a\nb\r\tc\u001b[2K\u009b1A\u0000\u007f")).toBe("a\\nb\\r\\tc\\u001b[2K\\u009b1A\\u0000\\u007f");
  expect(printable("\u202egnp.exe\u2066\u200b\u00ad\ufeff\u061c")).toBe(
    "\\u202egnp.exe\\u2066\\u200b\\u00ad\\ufeff\\u061c",
  );
  expect(printable("\u2028\u2029\ud800\ufffe\u{e0041}")).toBe("\\u2028\\u2029\\ud800\\ufffe\\u{e0041}");
});

test("only lines that were built here stay lines, also inside of another message", () => {
  const own = ownLines(["xennet:host: missing\u0007", "xennet:password: x\ny"]);
  expect(own).toBe("xennet:host: missing\\u0007\nxennet:password: x\\ny");
  expect(printableText(`VM "a\nb": ${own} c\nd`)).toBe(`VM "a\\nb": ${own} c\\nd`);
  const wrapped = new XennetError("CONFIG_INVALID", `no\u202e: ${new XennetError("X", own).message}`);
  expect(wrapped.message).toBe(`no\\u202e: ${own}`);
});

test("a quoted value cannot end its quotes, nor look like a line of ours", () => {
  expect(quoted("Internal network")).toBe('"Internal network"');
  expect(quoted('x" is not known. Pin it: "evil')).toBe('"x\\" is not known. Pin it: \\"evil"');
  expect(quoted("x\\")).toBe('"x\\\\"');
  expect(quoted(`x${" ".repeat(300)}error: pin this`)).toBe('"x … …"');
  expect(quoted(`x${" ".repeat(90)}error: pin this`)).toBe('"x … error: pin this"');
  expect(quoted("x".repeat(1000))).toHaveLength(203);
  expect(quoted(undefined)).toBe('"undefined"');
});

/** Texts made mostly of what is dangerous. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', "\\", "\n", "\u001b", "\u009b", "\u202e", "\u2066", "\u200b", "\u2028", "\u0007", " ", "ü"),
    fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)),
    fc.nat(0xffff).map((code) => String.fromCharCode(code)),
  ),
  maxLength: 60,
});

test("10,000 texts: nothing raw comes out, and quotes stay closed", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const shown = quoted(text);
      return (
        !isUnprintable(shown) &&
        !isUnprintable(printable(text)) &&
        /^"(?:[^"\\]|\\.)*"$/u.test(shown) &&
        !/\n/.test(shown)
      );
    }),
    { numRuns: 10_000 },
  );
});
