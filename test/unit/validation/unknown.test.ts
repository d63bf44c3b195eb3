import { expect, test } from "vitest";
import { isUnknown, unknownValue } from "../../../provider/src/validation/unknown.ts";

test("a value is unknown when it is the engine's mark, or holds one", () => {
  expect(
    [unknownValue, [unknownValue], { address: unknownValue, more: 1 }, [{ a: [unknownValue] }]].map(isUnknown),
  ).toEqual([...[true, true, true, true]]);
  expect([undefined, null, 0, "", "192.168.100.11", [], {}].some(isUnknown)).toBe(false);
});

test.each(["\nrule 1 nat -A XENNET-PREROUTING -j ACCEPT", " -j ACCEPT", ";reboot", "$(id)"])(
  "a text that has the mark in it and goes on with %j is checked like any other",
  (rest) => expect(isUnknown(`${unknownValue}${rest}`)).toBe(false),
);

test("a word around the mark is as unknown as the mark", () => {
  expect([`${unknownValue}/24`, `pool/${unknownValue}`, `${unknownValue}:80`].map(isUnknown)).toEqual([
    true,
    true,
    true,
  ]);
});
