import { expect, test } from "vitest";
import { changedKeys, equal, plain } from "../../../provider/src/handlers/props.ts";
import { isUnknown, unknownValue } from "../../../provider/src/validation/unknown.ts";

test("undefined and the provider's own text are left out, at any depth: the engine refuses undefined in outputs", () => {
  const given = { a: undefined, b: { c: undefined, d: [{ e: undefined, f: 1 }] }, __provider: "text" };
  expect(plain(given)).toEqual({ b: { d: [{ f: 1 }] } });
});

test("the order of keys is no difference, the order of a list is one", () => {
  expect(equal({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
  expect(equal({ b: [1, 2] }, { b: [2, 1] })).toBe(false);
  expect(equal({ a: 1 }, { a: 1, b: 2 })).toBe(false);
});

test("a value that is not known yet counts as changed, wherever it hides", () => {
  expect(isUnknown({ a: [`${unknownValue}/24`] })).toBe(true);
  expect(changedKeys({ a: 1, b: 2, c: 3 }, { a: 1, b: unknownValue, c: 4 }, ["a", "b", "c"])).toEqual(["b", "c"]);
});
