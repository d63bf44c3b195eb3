import fc from "fast-check";
import { expect, test } from "vitest";
import { checkAllowedAddresses } from "../../../provider/src/validation/allowed-addresses.ts";
import {
  checkHostCidr,
  contains,
  networkOf,
  overlaps,
  parseCidr,
  parseIpv4,
  renderIpv4,
  subnetOf,
} from "../../../provider/src/validation/ipv4.ts";

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const cidr = fc.tuple(address, fc.integer({ min: 0, max: 32 })).map(([value, prefix]) => ({
  address: renderIpv4(value),
  prefix,
}));

test("an address survives rendering and parsing", () => {
  fc.assert(fc.property(address, (value) => parseIpv4(renderIpv4(value)) === value));
});

test("a CIDR contains its own address, and overlaps every network that contains it", () => {
  fc.assert(
    fc.property(cidr, fc.integer({ min: 0, max: 32 }), (own, prefix) => {
      const wider = { address: own.address, prefix };
      return contains(own, own.address) && overlaps(own, wider) && overlaps(wider, own);
    }),
  );
});

test("two networks overlap just when one contains the first address of the other", () => {
  fc.assert(
    fc.property(cidr, cidr, (a, b) => {
      const first = (c: typeof a) => renderIpv4(networkOf(c));
      return overlaps(a, b) === (contains(a, first(b)) || contains(b, first(a)));
    }),
  );
});

test.each(["1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "", "a.b.c.d", 7, null, undefined])(
  "refuses %j as an address",
  (text) => expect(parseIpv4(text)).toBeUndefined(),
);

test.each(["10.0.0.1", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/", "10.0.0/24", "10.0.0.1/24/8"])(
  "refuses %j as a CIDR",
  (text) => expect(parseCidr(text)).toBeUndefined(),
);

test("names the network of an address", () => {
  expect(subnetOf({ address: "192.168.100.77", prefix: 26 })).toBe("192.168.100.64/26");
});

test("a host's address needs a prefix length and must not be the network's own or its broadcast address", () => {
  const reasons = ["192.168.100.1", "192.168.100.0/24", "192.168.100.255/24", "192.168.100.1/31", "x"].map(
    (value) => checkHostCidr("address", value)[0]?.reason,
  );
  expect(checkHostCidr("address", "192.168.100.1/24")).toEqual([]);
  expect(reasons).toMatchInlineSnapshot(`
    [
      "expected an IPv4 address with prefix length such as "192.168.100.1/24", found "192.168.100.1"",
      "expected an address between 192.168.100.1 and 192.168.100.254, found "192.168.100.0", which is the address of the network itself of 192.168.100.0/24",
      "expected an address between 192.168.100.1 and 192.168.100.254, found "192.168.100.255", which is the broadcast address of 192.168.100.0/24",
      "expected a prefix length from /8 to /30, found "192.168.100.1/31"",
      "expected an IPv4 address with prefix length such as "192.168.100.1/24", found "x"",
    ]
  `);
});

test.each(["192.168.1.5/08", "192.168.1.5/00", "192.168.1.5/024"])(
  "refuses %j for the leading zero of its prefix length",
  (text) => {
    expect(parseCidr(text)).toBeUndefined();
    expect(checkAllowedAddresses("ipv4", "ipv4Allowed", [text])).toMatchObject([{ property: "ipv4Allowed[0]" }]);
    expect(checkAllowedAddresses("ipv6", "ipv6Allowed", ["fd00::/064"])).toMatchObject([
      { property: "ipv6Allowed[0]" },
    ]);
  },
);
