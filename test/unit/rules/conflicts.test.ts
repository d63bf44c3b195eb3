import { expect, test } from "vitest";
import {
  claimsOverlap,
  decidesFlow,
  listenerOverlaps,
  type PortClaim,
  redirectOverlaps,
} from "../../../provider/src/rules/conflicts.ts";
import { parseSavedRule } from "../../../provider/src/rules/saved.ts";

const claim: PortClaim = { address: "192.168.1.10", protocol: "tcp", ports: { from: 8080, to: 8090 } };

test.each<[Partial<PortClaim>, boolean]>([
  [{}, true],
  [{ address: undefined }, true],
  [{ address: "192.168.1.11" }, false],
  [{ protocol: "udp" }, false],
  [{ ports: { from: 8090, to: 8090 } }, true],
  [{ ports: { from: 1, to: 65535 } }, true],
  [{ ports: { from: 8091, to: 8100 } }, false],
])("a claim of %j beside another: %s", (other, overlap) => {
  expect(claimsOverlap(claim, { ...claim, ...other })).toBe(overlap);
  expect(claimsOverlap({ ...claim, ...other }, claim)).toBe(overlap);
});

test.each<[string, string, number, boolean]>([
  ["tcp", "0.0.0.0", 8085, true],
  ["tcp", "::", 8085, true],
  ["tcp", "192.168.1.10", 8085, true],
  ["tcp", "192.168.1.11", 8085, false],
  ["tcp", "127.0.0.1", 8085, false],
  ["udp", "0.0.0.0", 8085, false],
  ["tcp", "0.0.0.0", 8091, false],
])("a listener on %s %s port %i: %s", (protocol, address, port, overlap) => {
  expect(listenerOverlaps(claim, { protocol, address, port })).toBe(overlap);
});

test("with any address of the host, only the loopback is another's", () => {
  const any = { ...claim, address: undefined };
  expect(listenerOverlaps(any, { protocol: "tcp", address: "192.168.7.1", port: 8080 })).toBe(true);
  expect(listenerOverlaps(any, { protocol: "tcp", address: "127.0.0.1", port: 8080 })).toBe(false);
});

test.each<[string, boolean]>([
  ["-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.100.9", true],
  ["-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80", true],
  ["-A DOCKER ! -i xenbr0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80", false],
  ["-A PREROUTING -i xen+ -p tcp -m multiport --dports 25,8085:8086 -j REDIRECT --to-ports 3128", true],
  ["-A PREROUTING -d 192.168.1.11/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.100.9", false],
  ["-A PREROUTING ! -d 192.168.1.10/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.100.9", false],
  ["-A PREROUTING -d 192.168.0.0/255.255.0.0 -j DNAT --to-destination 192.168.100.9", true],
  ["-A PREROUTING -i xapi1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.100.9", false],
  ["-A PREROUTING -p udp -m udp --dport 8080 -j DNAT --to-destination 192.168.100.9", false],
  ["-A PREROUTING -p tcp -m tcp ! --dport 8000:9000 -j DNAT --to-destination 192.168.100.9", false],
  ["-A PREROUTING -p tcp -m tcp ! --dport 8080 -j DNAT --to-destination 192.168.100.9", true],
  ["-A PREROUTING -p tcp -m set --match-set bad src -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.1", true],
  ["-A PREROUTING -p tcp -m tcp --dport 8080 -j ACCEPT", false],
])("a rule of another tool, %s, takes packets of ours: %s", (line, overlap) => {
  const rule = parseSavedRule("nat", line);
  expect(rule && redirectOverlaps(claim, "xenbr0", rule)).toBe(overlap);
});

test.each<[string, boolean]>([
  ["-A FORWARD -s 203.0.113.9/32 -j DROP", true],
  ["-A FORWARD -s 192.168.100.7/32 -j DROP", true],
  ["-A FORWARD -d 192.168.100.7/32 -j DROP", true],
  ["-A FORWARD -d 10.0.0.0/8 -j DROP", false],
  ["-A FORWARD ! -d 192.168.0.0/16 -j DROP", false],
  ["-A FORWARD -i docker0 -j ACCEPT", false],
  ["-A FORWARD -j LOG", false],
])("a rule above ours, %s, decides about what is forwarded to guests: %s", (line, decides) => {
  const rule = parseSavedRule("filter", line);
  const inward = { inInterface: "xenbr0", outInterface: "xapi1", destination: "192.168.100.0/24" };
  expect(rule && decidesFlow(inward, rule)).toBe(decides);
});
