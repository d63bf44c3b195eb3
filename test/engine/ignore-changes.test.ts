import { expect, test } from "vitest";
import { keepIgnored } from "./runner/ignore-changes.ts";
import { parsePropertyPath } from "./runner/property-path.ts";
import { Secret } from "./runner/values.ts";

test.each([
  ["a", ["a"]],
  ["a.b[0][12].c", ["a", "b", 0, 12, "c"]],
  ['["a.b"].c["say \\"x\\""]', ["a.b", "c", 'say "x"']],
  ["a.*.b[*]", ["a", "*", "b", "*"]],
  ["", []],
  [".a", undefined],
  ["a.", undefined],
  ["a[", undefined],
  ["a[x]", undefined],
  ['a["x]', undefined],
])("the path %s has the elements %j", (text, elements) => {
  expect(parsePropertyPath(text)).toEqual(elements);
});

test("an ignored property is as it was, whether it was changed, added or removed", () => {
  const old = { changed: 1, removed: 1, other: 1 };
  const { inputs, unfit } = keepIgnored({ changed: 2, added: 2, other: 2 }, old, ["changed", "added", "removed"]);
  expect(inputs).toEqual({ changed: 1, removed: 1, other: 2 });
  expect(unfit).toEqual([]);
});

test("the inputs that the program gave stay as they are", () => {
  const given = { map: { key: "new" }, list: ["new"] };
  keepIgnored(given, { map: { key: "old" }, list: ["old"] }, ["map.key", "list[0]"]);
  expect(given).toEqual({ map: { key: "new" }, list: ["new"] });
});

test.each([
  ["an element that only the old list has", "list[1]", { list: [1, 2] }, { list: [9] }],
  ["lists of different lengths", "list[*]", { list: [1, 2] }, { list: [9] }],
  ["a map that is gone", "map.part.key", { map: { part: { key: 1 } } }, { map: {} }],
  ["a key of what is no map any more", "map.key", { map: { key: 1 } }, { map: 9 }],
  ["a list that is no list any more", "list[0]", { list: [1] }, { list: 9 }],
  ["an index below zero", "list[-1]", { list: [1] }, { list: [9] }],
  ["all parts of a plain value", "list[*]", { list: [1] }, { list: 9 }],
])("a path to %s does not fit", (_, path, old, inputs) => {
  expect(keepIgnored(inputs, old, [path]).unfit).toEqual([path]);
});

test.each([
  ["absent on both sides", "map.key", {}, {}],
  ["into plain values on both sides", "map.key", { map: 1 }, { map: 2 }],
  ["beyond both lists", "list[5]", { list: [1] }, { list: [2] }],
])("a path %s fits, and changes nothing", (_, path, old, inputs) => {
  expect(keepIgnored(inputs, old, [path])).toEqual({ inputs, unfit: [] });
});

test("a part of something secret stays secret where the new value is not", () => {
  const old = { map: new Secret({ key: "hush", list: ["hush"] }) };
  const { inputs } = keepIgnored({ map: { key: "open", list: ["open"] } }, old, ["map.key", "map.list[0]"]);
  expect(inputs).toEqual({ map: { key: new Secret("hush"), list: [new Secret("hush")] } });
});

test("a star takes a whole level, and what follows it goes through each of its parts", () => {
  const old = { ports: [{ port: 1, name: "a" }], labels: { x: "old" } };
  const inputs = { ports: [{ port: 2, name: "b" }], labels: { x: "new", y: "new" } };
  expect(keepIgnored(inputs, old, ["ports[*].port", "labels.*"])).toEqual({
    inputs: { ports: [{ port: 1, name: "b" }], labels: { x: "old" } },
    unfit: [],
  });
  expect(keepIgnored(inputs, old, ["*"]).inputs).toEqual(old);
});
