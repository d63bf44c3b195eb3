import { expect, test } from "vitest";
import { portForwardRules } from "../../../provider/src/rules/port-forward.ts";
import { describeRules, renderRule } from "../../../provider/src/rules/render.ts";
import { chains, type Rule } from "../../../provider/src/rules/rule.ts";
import { everyRule, forward, forwarding } from "./declared.ts";

const known = { bridge: "xapi1", externalInterface: "xenbr0", externalAddress: "192.168.1.10" };

/** The rules that differ from the usual ones. */
function changed(rules: readonly Rule[], usual: readonly Rule[]): { added: string[]; gone: string[] } {
  const [now, before] = [describeRules(rules, "", known), describeRules(usual, "", known)];
  return { added: now.filter((line) => !before.includes(line)), gone: before.filter((line) => !now.includes(line)) };
}

test("a forward reads as a person would write it, with what is not known yet named", () => {
  expect(describeRules(forward(), "", { networkLabel: "Internal network" })).toMatchInlineSnapshot(`
    [
      "nat -A XENNET-PREROUTING -d <external address>/32 -i <external interface> -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.100.12:80",
      "filter -A XENNET-FORWARD -d 192.168.100.12/32 -i <external interface> -o <bridge of Internal network> -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -j ACCEPT",
    ]
  `);
  const unknown = portForwardRules({
    ...{ protocols: ["tcp"], externalPorts: "<externalPort>", target: "<target>", targetPorts: "<targetPort>" },
  });
  expect(describeRules(unknown, "", known)[0]).toBe(
    "nat -A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport <externalPort> -j DNAT --to-destination <target>:<targetPort>",
  );
});

test("the rules of a forwarding, with everything known", () => {
  expect(describeRules(forwarding(), "", known)).toMatchInlineSnapshot(`
    [
      "filter -A XENNET-FORWARD -i xapi1 -o xenbr0 -m state --state INVALID -j DROP",
      "filter -A XENNET-FORWARD -i xenbr0 -o xapi1 -m state --state INVALID -j DROP",
      "filter -A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m conntrack --ctstate RELATED,ESTABLISHED --ctorigsrc 192.168.100.0/24 -j ACCEPT",
      "filter -A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m state --state RELATED,ESTABLISHED -m conntrack --ctstate DNAT -j ACCEPT",
      "filter -A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -m conntrack --ctstate NEW,RELATED,SNAT,DNAT -j ACCEPT",
      "filter -A XENNET-FORWARD -i xapi1 -j DROP",
      "filter -A XENNET-FORWARD -o xapi1 -j DROP",
      "filter -A XENNET-FORWARD -i <each interface that did not route before> -o <each interface that did not route before> -j RETURN",
      "filter -A XENNET-FORWARD -i <each interface that did not route before> -m conntrack --ctstate DNAT -j RETURN",
      "filter -A XENNET-FORWARD -i <each interface that did not route before> -m state --state INVALID,NEW -j DROP",
      "filter -A XENNET-INPUT -i xapi1 -m conntrack --ctstate RELATED,ESTABLISHED --ctorigsrc 192.168.100.1 -j ACCEPT",
      "filter -A XENNET-INPUT -s 192.168.100.0/24 -i xapi1 -p icmp -j ACCEPT",
      "filter -A XENNET-INPUT -i xapi1 -j DROP",
      "filter -A XENNET-INPUT -i <each other bridge xapi*> -j RETURN",
      "filter -A XENNET-INPUT -i xapi+ -m state --state INVALID,NEW,RELATED -j DROP",
      "filter -A XENNET-FORWARD -i <each other bridge xapi*> -j RETURN",
      "filter -A XENNET-FORWARD -i xapi+ -m state --state INVALID,NEW,RELATED -j DROP",
      "filter -A XENNET-FORWARD -o <each other bridge xapi*> -j RETURN",
      "filter -A XENNET-FORWARD -o xapi+ -m state --state INVALID,NEW,RELATED -j DROP",
      "nat -A XENNET-POSTROUTING -s 192.168.100.0/24 -o xenbr0 -j SNAT --to-source 192.168.1.10",
    ]
  `);
});

test("a range that keeps its numbers is one pair of rules, a shifted one translates port by port", () => {
  const range = { from: 8000, to: 8002 };
  expect(describeRules(forward({ externalPorts: range, targetPorts: range }), "", known)).toEqual([
    "nat -A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport 8000:8002 -j DNAT --to-destination 192.168.100.12",
    "filter -A XENNET-FORWARD -d 192.168.100.12/32 -i xenbr0 -o xapi1 -p tcp -m tcp --dport 8000:8002 -m conntrack --ctstate DNAT -j ACCEPT",
  ]);
  const shifted = describeRules(forward({ externalPorts: range, targetPorts: { from: 9000, to: 9002 } }), "", known);
  expect(shifted.map((line) => /--dport (\S+).* -j \S+ ?(?:--to-destination (.*))?$/.exec(line)?.slice(1))).toEqual([
    ["8000", "192.168.100.12:9000"],
    ["8001", "192.168.100.12:9001"],
    ["8002", "192.168.100.12:9002"],
    ["9000:9002", undefined],
  ]);
});

test("where the external address is leased, rules hold whichever address dom0 has", () => {
  expect(changed(forward({ isLeased: true }), forward())).toEqual({
    added: [
      "nat -A XENNET-PREROUTING -i xenbr0 -p tcp -m tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 192.168.100.12:80",
    ],
    gone: [
      "nat -A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.100.12:80",
    ],
  });
  expect(changed(forwarding({ snat: "masquerade" }), forwarding()).added).toEqual([
    "nat -A XENNET-POSTROUTING -s 192.168.100.0/24 -o xenbr0 -j MASQUERADE",
  ]);
});

test("who manages dom0 is let through ahead of every DNAT, and who is excluded falls through to dom0", () => {
  const rules = forward({
    externalPorts: { from: 22, to: 22 },
    notSources: ["192.0.2.0/24"],
    management: { ports: [22], sources: ["192.168.1.0/24"] },
  });
  const prerouting = rules.filter((rule) => rule.chain === "prerouting").sort((a, b) => a.rank - b.rank);
  expect(prerouting.map(({ rank, source, target }) => [rank, source, target.jump])).toEqual([
    [10, "192.168.1.0/24", "ACCEPT"],
    [50, "192.0.2.0/24", "RETURN"],
    [50, undefined, "DNAT"],
  ]);
});

test("pool members are told apart from the outside, after what was forwarded to guests is answered", () => {
  expect(changed(forwarding({ infrastructure: ["192.168.1.11/32"] }), forwarding()).added).toEqual([
    "filter -A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -m state --state RELATED,ESTABLISHED -m conntrack --ctstate DNAT -j ACCEPT",
    "filter -A XENNET-FORWARD -s 192.168.100.0/24 -d 192.168.1.11/32 -i xapi1 -o xenbr0 -j REJECT --reject-with icmp-host-prohibited",
  ]);
});

test("segments are clamped in both directions, and without isolation nothing is closed but dom0 itself", () => {
  expect(changed(forwarding({ clampMss: 1360 }), forwarding()).added).toEqual([
    "mangle -A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1360",
    "mangle -A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1360",
  ]);
  expect(changed(forwarding({ isolation: false }), forwarding())).toEqual({
    added: ["filter -A XENNET-FORWARD -i xapi1 -j RETURN", "filter -A XENNET-FORWARD -o xapi1 -j RETURN"],
    gone: [
      "filter -A XENNET-FORWARD -i xapi1 -j DROP",
      "filter -A XENNET-FORWARD -o xapi1 -j DROP",
      "filter -A XENNET-FORWARD -i <each other bridge xapi*> -j RETURN",
      "filter -A XENNET-FORWARD -i xapi+ -m state --state INVALID,NEW,RELATED -j DROP",
      "filter -A XENNET-FORWARD -o <each other bridge xapi*> -j RETURN",
      "filter -A XENNET-FORWARD -o xapi+ -m state --state INVALID,NEW,RELATED -j DROP",
    ],
  });
});

test("every rule carries its resource's mark in a form that no version of iptables quotes", () => {
  for (const rule of everyRule) {
    expect(renderRule(rule, "0123456789ab")).toMatch(/ -m comment --comment xennet-0123456789ab -j [A-Z]+/);
  }
});

test("closing rules come after every accept, and DNAT is bound to dom0's addresses", () => {
  const filter = everyRule.filter((rule) => rule.chain === "forward" || rule.chain === "input");
  const accepts = filter.filter((rule) => rule.target.jump === "ACCEPT").map((rule) => rule.rank);
  const closing = filter.filter(({ target, state }) => target.jump === "DROP" && state !== "INVALID");
  const drops = closing.map((rule) => rule.rank);
  expect(Math.max(...accepts)).toBeLessThan(Math.min(...drops));
  for (const rule of everyRule.filter(({ target }) => target.jump === "DNAT")) {
    expect(rule.isForHost === true || rule.destination === "@EXT_IP@/32").toBe(true);
  }
});

test("chain names stay under the 28 characters of iptables 1.4", () => {
  for (const chain of Object.values(chains)) expect(chain.name.length).toBeLessThanOrEqual(28);
});

/** Matches and targets that iptables 1.3.5 (XenServer 5.6) has too; `-C`, lists of addresses and late negation are none. */
const everywhere = new Set(
  `-A -s -d -i -o -p -m -j tcp udp state conntrack comment addrtype --sport --dport --tcp-flags --dst-type --state
  --ctstate --ctorigsrc --ctorigdst --comment --to-destination --to-source --reject-with --set-mss --clamp-mss-to-pmtu
  ACCEPT DROP REJECT RETURN DNAT SNAT MASQUERADE TCPMSS`.split(/\s+/),
);

test("nothing is used that the iptables of the oldest host lacks", () => {
  for (const rule of everyRule) {
    const words = renderRule(rule, "0123456789ab").split(" ");
    const names = words.filter((word, at) => word.startsWith("-") || ["-m", "-j"].includes(words[at - 1] ?? ""));
    expect(names.filter((name) => !everywhere.has(name))).toEqual([]);
    for (const at of ["-s", "-d"].map((option) => words.indexOf(option)).filter((found) => found >= 0)) {
      expect(words[at + 1]).not.toContain(",");
    }
  }
});
