import { expect, test } from "vitest";
import {
  checkDevice,
  checkInteger,
  checkInterfaceName,
  checkMac,
  checkPort,
  checkText,
  checkTextMap,
} from "../../../provider/src/validation/scalars.ts";

test.each([1, 80, 65535])("takes %j as a port", (port) => expect(checkPort("externalPort", port)).toEqual([]));

test.each([0, 65536, -1, 80.5, "80", "http", null, undefined])("refuses %j as a port", (port) => {
  expect(checkPort("externalPort", port)).toEqual([
    {
      property: "externalPort",
      reason: `expected a port, an integer from 1 to 65535, found ${port === undefined ? "nothing" : JSON.stringify(port)}`,
    },
  ]);
});

test.each(["02:16:3e:00:00:01", "AA:BB:CC:00:11:22"])("takes %j as a MAC address", (mac) =>
  expect(checkMac("mac", mac)).toEqual([]),
);

test.each(["02-16-3e-00-00-01", "02:16:3e:00:00", "01:16:3e:00:00:01", "00:00:00:00:00:00", "zz:16:3e:00:00:01", 7])(
  "refuses %j as a MAC address",
  (mac) => expect(checkMac("mac", mac)).toHaveLength(1),
);

test.each(["0", "6", "254"])("takes %j as a device", (device) => expect(checkDevice("device", device)).toEqual([]));

test.each(["", "00", "0x1", "-1", "1000", 1])("refuses %j as a device", (device) =>
  expect(checkDevice("device", device)).toHaveLength(1),
);

test.each(["", "a/b", "way-too-long-name", "eth0;reboot", "..", 'a"b'])("refuses %j as an interface name", (name) =>
  expect(checkInterfaceName("externalInterface", name)).toHaveLength(1),
);

test.each(["two\nlines", "\u0000", "\u007f", "\u001b[2J", "\u009b2J", "\u0085"])(
  "refuses control characters (%j), so that no text can end a line of a fragment or steer a terminal",
  (text) => expect(checkText("nameLabel", text)[0]?.reason).toContain("without control characters"),
);

test("refuses a number outside its range, naming the unit", () => {
  expect(checkInteger("mtu", 67, 68, 65535, "an MTU in bytes")[0]?.reason).toBe(
    "expected an MTU in bytes, an integer from 68 to 65535, found 67",
  );
});

test("refuses keys of other_config that the provider sets itself", () => {
  const found = checkTextMap("otherConfig", { automatic: "true", "xennet:owner": "me", fine: "1" }, ["automatic"]);
  expect(found.map((problem) => problem.property)).toEqual(['otherConfig["automatic"]', 'otherConfig["xennet:owner"]']);
});

test("a map with the key __proto__ is refused, as a plain object cannot carry it", () => {
  expect(checkTextMap("otherConfig", JSON.parse('{"__proto__":"x","constructor":"y"}'), [])).toMatchObject([
    { property: 'otherConfig["__proto__"]' },
  ]);
});
