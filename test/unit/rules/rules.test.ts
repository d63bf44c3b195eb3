import { expect, test } from "vitest";
import { hostForwardingRules } from "../../../provider/src/rules/host-forwarding.ts";
import { portForwardRules } from "../../../provider/src/rules/port-forward.ts";
import { checkManagementPort, checkPoolPort, shadowedService } from "../../../provider/src/rules/ports.ts";
import { describeRules, renderRule } from "../../../provider/src/rules/render.ts";
import { chains } from "../../../provider/src/rules/rule.ts";

const address = { address: "192.168.100.1", prefix: 24 };
const forward = { protocol: "tcp", externalPort: 8080, target: "192.168.100.12", targetPort: 80 } as const;

test("a forward reads as a person would write it, with what is not known yet named", () => {
  expect(describeRules(portForwardRules(forward), "", { networkLabel: "Internal network" })).toMatchInlineSnapshot(`
    [
      "nat -A XENNET-PREROUTING -d <external address>/32 -i <external interface> -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.100.12:80",
      "filter -A XENNET-FORWARD -d 192.168.100.12/32 -i <external interface> -o <bridge of Internal network> -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -j ACCEPT",
    ]
  `);
});

test("the rules of a forwarding, with everything known", () => {
  const names = { bridge: "xapi1", externalInterface: "xenbr0", externalAddress: "192.168.1.10" };
  expect(describeRules(hostForwardingRules(address), "", names)).toMatchInlineSnapshot(`
    [
      "filter -A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m state --state RELATED,ESTABLISHED -j ACCEPT",
      "filter -A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -j ACCEPT",
      "filter -A XENNET-FORWARD -i xapi1 -j DROP",
      "filter -A XENNET-FORWARD -o xapi1 -j DROP",
      "filter -A XENNET-INPUT -i xapi1 -m state --state RELATED,ESTABLISHED -j ACCEPT",
      "filter -A XENNET-INPUT -i xapi1 -p icmp -j ACCEPT",
      "filter -A XENNET-INPUT -i xapi1 -j DROP",
      "nat -A XENNET-POSTROUTING -s 192.168.100.0/24 -o xenbr0 -j SNAT --to-source 192.168.1.10",
    ]
  `);
});

test("every rule carries its resource's mark in a form that no version of iptables quotes", () => {
  const rules = [...hostForwardingRules(address), ...portForwardRules(forward)];
  for (const rule of rules) {
    expect(renderRule(rule, "0123456789ab")).toMatch(/ -m comment --comment xennet-0123456789ab -j [A-Z]+/);
  }
});

test("closing rules come after every accept, and DNAT is bound to the external address", () => {
  const rules = [...hostForwardingRules(address), ...portForwardRules(forward)];
  const accepts = rules.filter((rule) => rule.target.jump === "ACCEPT").map((rule) => rule.rank);
  const drops = rules.filter((rule) => rule.target.jump === "DROP").map((rule) => rule.rank);
  expect(Math.max(...accepts)).toBeLessThan(Math.min(...drops));
  expect(rules.find((rule) => rule.target.jump === "DNAT")?.destination).toBe("@EXT_IP@/32");
});

test("chain names stay under the 28 characters of iptables 1.4", () => {
  for (const chain of Object.values(chains)) expect(chain.name.length).toBeLessThanOrEqual(28);
});

test.each([22, 443])("refuses to forward tcp %i, as that locks everybody out", (port) => {
  const [problem] = checkManagementPort("externalPort", "tcp", port, { xapiThroughSsh: false });
  expect(problem?.reason).toContain("lock you out");
});

test("with XAPI reached through SSH, tcp 443 may be forwarded on a single host, and 22 nowhere", () => {
  const way = { xapiThroughSsh: true };
  expect(checkManagementPort("externalPort", "tcp", 443, way)).toEqual([]);
  expect(checkManagementPort("externalPort", "tcp", 22, way)[0]?.reason).toMatch(
    /other than 22, found 22.*lock you out/,
  );
  expect(checkPoolPort("externalPort", "tcp", 443, 1)).toEqual([]);
  expect(checkPoolPort("externalPort", "tcp", 443, 2)[0]?.reason).toContain("the pool's 2 hosts reach each other");
  expect(checkPoolPort("externalPort", "udp", 443, 2)).toEqual([]);
});

test("allows udp 443, and warns about tcp 80", () => {
  expect(checkManagementPort("externalPort", "udp", 443, { xapiThroughSsh: false })).toEqual([]);
  expect(shadowedService("tcp", 80)).toContain("Port 80");
  expect(shadowedService("udp", 80)).toBeUndefined();
});
