import { expect, test } from "vitest";
import { forget, formerIn, remember, renderFormer, wanted, withKeys } from "../../../provider/src/handlers/former.ts";

const none = { owner: "urn:a", values: {}, otherConfig: {} };
const now = { values: { name_label: "Network 0", MTU: 1500 }, otherConfig: { XenCenter: "theirs" } };
const managed = { values: { name_label: "Outside" }, otherConfig: { automatic: "false" } };

test("remembers the fields and keys that are to be managed, absent keys as null, and nothing else", () => {
  expect(remember(none, now, managed)).toEqual({
    owner: "urn:a",
    values: { name_label: "Network 0" },
    otherConfig: { automatic: null },
  });
});

test("what is remembered already is kept, though the object has changed since", () => {
  const first = remember(none, now, managed);
  const later = { values: { name_label: "Outside", MTU: 1500 }, otherConfig: { automatic: "false" } };
  const more = { ...managed, values: { ...managed.values, MTU: 9000 } };
  expect(remember(first, later, more)).toEqual({
    owner: "urn:a",
    values: { name_label: "Network 0", MTU: 1500 },
    otherConfig: { automatic: null },
  });
});

test("what is not declared any more is wanted as it was, and forgotten after", () => {
  const former = remember(none, now, managed);
  const less = { values: {}, otherConfig: { automatic: "false" } };
  expect(wanted(former, less)).toMatchObject({
    values: { name_label: "Network 0" },
    otherConfig: { automatic: "false" },
  });
  expect(forget(former, less)).toEqual({ owner: "urn:a", values: {}, otherConfig: { automatic: null } });
});

test("is read back from the object, and a damaged record is an error that says how to go on", () => {
  const former = remember(none, now, managed);
  expect(formerIn("network", "u-1", { "xennet:former": renderFormer(former) })).toEqual(former);
  expect(formerIn("network", "u-1", { automatic: "true" })).toBeUndefined();
  for (const text of ["{", "null", "[]", '{"owner":"x","values":[],"otherConfig":{}}']) {
    expect(() => formerIn("VIF", "u-1", { "xennet:former": text })).toThrow(
      /VIF u-1 .* unreadable\. .*xe vif-param-set/,
    );
  }
});

test.each([
  ["network", { values: { name_label: null } }],
  ["network", { values: { name_label: 5 } }],
  ["network", { values: { MTU: "x" } }],
  ["network", { values: { tags: "web" } }],
  ["network", { values: { tags: [1] } }],
  ["network", { values: { default_locking_mode: "locked" } }],
  ["network", { otherConfig: { theirs: 5 } }],
  ["network", { otherConfig: { "xennet:owner": "urn:b" } }],
  ["VIF", { values: { network: 5 } }],
  ["VIF", { values: { locking_mode: "open" } }],
  ["VIF", { values: { ipv4_allowed: "192.168.1.1" } }],
  ["VIF", { values: { ipv6_allowed: [null] } }],
  ["VIF", { values: { qos_algorithm_params: { kbps: 50 } } }],
  ["VIF", { values: { ipv4_configuration_mode: "DHCP" } }],
  ["VIF", { values: { ipv4_addresses: [{}] } }],
  ["VIF", { values: { ipv6_gateway: null } }],
  ["VIF", { values: { currently_attached: "false" } }],
] as const)(
  "a record of a %s with a value of another type is refused before anything is written: %j",
  (what, wrong) => {
    const text = JSON.stringify({ owner: "urn:a", values: {}, otherConfig: {}, ...wrong });
    expect(() => formerIn(what, "u-1", { "xennet:former": text })).toThrow(/u-1 .* unreadable/);
  },
);

test("fields that a later version may have added do not make a record unreadable", () => {
  const more = { owner: "urn:a", values: { name_label: "x", purpose: ["nbd"] }, otherConfig: { gone: null }, since: 1 };
  expect(formerIn("network", "u-1", { "xennet:former": JSON.stringify(more) })).toEqual({
    owner: "urn:a",
    values: { name_label: "x", purpose: ["nbd"] },
    otherConfig: { gone: null },
  });
});

test("sets and removes single keys of an other_config", () => {
  expect(withKeys({ a: "1", b: "2" }, { a: null, c: "3" })).toEqual({ b: "2", c: "3" });
});

test("a key named as what every object inherits was absent, and is taken off again", () => {
  const keys = { values: {}, otherConfig: { constructor: "x", toString: "y" } };
  expect(remember(none, { values: {}, otherConfig: {} }, keys).otherConfig).toEqual({
    constructor: null,
    toString: null,
  });
});
