import { expect, test } from "vitest";
import { guestAddressesOf } from "../../../provider/src/xapi/guest-addresses.ts";

test("gives a device's addresses once each, IPv4 first and in the guest's order, without link-local ones", () => {
  const networks = {
    ...{ "1/ipv6/0": "FE80::5", "1/ipv6/1": "2001:db8::1", "1/ipv4/10": "192.0.2.10", "1/ipv4/2": "192.0.2.2" },
    ...{ "1/ip": "192.0.2.2", "11/ip": "198.51.100.1", "1/name": "eth1", "1/ipv4/3": "169.254.0.9" },
  };
  expect(guestAddressesOf(networks, "1")).toEqual(["192.0.2.2", "192.0.2.10", "2001:db8::1"]);
});

test("takes several addresses in one value, as old tools report them", () => {
  expect(guestAddressesOf({ "0/ip": "192.0.2.1 192.0.2.7" }, "0")).toEqual(["192.0.2.1", "192.0.2.7"]);
  expect(guestAddressesOf({ "0/ip": "" }, "0")).toEqual([]);
});

test("keeps the addresses of the VIF's own device, IPv4 first, each once, and no link-local one", () => {
  const networks = {
    ...{ "1/ipv6/0": "FE80::1", "1/ipv6/1": "febf::1", "1/ipv6/2": "fec0::1", "1/ipv6/10": "fd00::2" },
    ...{ "1/ip": "10.0.0.5 10.0.0.6", "1/ipv4/0": "10.0.0.5", "1/ipv4/1": "169.254.7.7", "11/ip": "10.9.9.9" },
    "1/other": "no address",
  };
  expect(guestAddressesOf(networks, "1")).toEqual(["10.0.0.5", "10.0.0.6", "fec0::1", "fd00::2"]);
  expect(guestAddressesOf({}, "1")).toEqual([]);
});
