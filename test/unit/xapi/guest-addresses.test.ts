import { expect, test } from "vitest";
import { addressesOf } from "../../../provider/src/xapi/guest-addresses.ts";

test("gives a device's addresses once each, IPv4 first and in the guest's order, without link-local ones", () => {
  const networks = {
    ...{ "1/ipv6/0": "FE80::5", "1/ipv6/1": "2001:db8::1", "1/ipv4/10": "192.0.2.10", "1/ipv4/2": "192.0.2.2" },
    ...{ "1/ip": "192.0.2.2", "11/ip": "198.51.100.1", "1/name": "eth1", "1/ipv4/3": "169.254.0.9" },
  };
  expect(addressesOf(networks, "1")).toEqual(["192.0.2.2", "192.0.2.10", "2001:db8::1"]);
});

test("takes several addresses in one value, as old tools report them", () => {
  expect(addressesOf({ "0/ip": "192.0.2.1 192.0.2.7" }, "0")).toEqual(["192.0.2.1", "192.0.2.7"]);
  expect(addressesOf({ "0/ip": "" }, "0")).toEqual([]);
});
