import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { renderFragment, rulesOf } from "../../provider/src/rules/fragment.ts";
import { hostForwardingRules } from "../../provider/src/rules/host-forwarding.ts";
import { portForwardRules } from "../../provider/src/rules/port-forward.ts";
import { renderRuleLine } from "../../provider/src/rules/render.ts";
import type { Rule } from "../../provider/src/rules/rule.ts";
import { type Cidr, parseCidr, subnetOf } from "../../provider/src/validation/ipv4.ts";
import { cases, sampled } from "../support/generated.ts";
import { legs } from "../support/legs.ts";

const token = "0123456789ab";
const octet = fc.nat(255);
const address = fc.tuple(fc.integer({ min: 1, max: 223 }), octet, octet, octet).map((parts) => parts.join("."));
const network = fc
  .tuple(address, fc.integer({ min: 8, max: 32 }))
  .map(([ip, length]) => subnetOf(parseCidr(`${ip}/${length}`) as Cidr));
const own = fc
  .tuple(address, fc.integer({ min: 8, max: 30 }))
  .map(([ip, length]) => parseCidr(`${ip}/${length}`))
  .filter((cidr) => cidr !== undefined);
const port = fc.integer({ min: 1, max: 65535 });
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const forward = fc
  .record({
    protocols: fc.constantFrom(["tcp"] as const, ["udp"] as const, ["tcp", "udp"] as const),
    ...{ target: address, port, shift: fc.integer({ min: -50, max: 50 }), size: fc.nat(5) },
    ...{
      sources: some(fc.array(network, { minLength: 1, maxLength: 3 })),
      notSources: some(fc.array(network, { maxLength: 2 })),
    },
    ...{ hairpin: some(own), fromHost: fc.boolean(), isLeased: fc.boolean() },
    management: some(fc.record({ ports: fc.subarray([22, 443]), sources: fc.array(network, { maxLength: 2 }) })),
  })
  .map(({ port: from, shift, size, ...spec }) => {
    const within = (at: number) => Math.min(Math.max(at, 1), 65_535 - size);
    const range = (at: number) => ({ from: within(at), to: within(at) + size });
    return portForwardRules({ ...spec, externalPorts: range(from), targetPorts: range(from + shift) });
  });

const forwarding = fc
  .record({
    ...{
      address: own,
      outbound: fc.oneof(fc.constantFrom("any" as const, "none" as const), fc.array(network, { maxLength: 3 })),
    },
    ...{
      infrastructure: fc.array(network, { maxLength: 3 }),
      inbound: fc.constantFrom("forwarded" as const, "network" as const),
    },
    ...{ snat: fc.constantFrom("address" as const, "masquerade" as const, "off" as const), isolation: fc.boolean() },
    clampMss: some(fc.oneof(fc.constant("pmtu" as const), fc.integer({ min: 536, max: 1460 }))),
    guestAccessToHost: fc.array(
      fc.record({
        source: network,
        protocols: fc.constantFrom(["tcp"] as const, ["udp"] as const),
        ports: port.map(String),
      }),
      { maxLength: 2 },
    ),
  })
  .map(hostForwardingRules);

const specs = sampled("iptables-restore", fc.oneof(forward, forwarding));

/** As the host program resolves the roles. */
function resolved(rule: Rule): { table: string; line: string } {
  const [, , table = "", ...words] = /^(\d+) (\S+) (.*)$/.exec(renderRuleLine(rule, token)) ?? [];
  const line = words
    .join("")
    .replaceAll("@BRIDGE@", "xapi1")
    .replaceAll("@EXT_IF@", "xenbr0")
    .replaceAll("@EXT_IP@", "192.168.1.10");
  return { table, line };
}

const chains = {
  filter: ["XENNET-FORWARD", "XENNET-INPUT"],
  nat: ["XENNET-PREROUTING", "XENNET-POSTROUTING", "XENNET-OUTPUT"],
  mangle: ["XENNET-FORWARD"],
};

test("the host program's pattern takes every rule that is rendered", () => {
  const program = fileURLToPath(new URL("../../provider/src/dom0/program", import.meta.url));
  const rules = specs.flat();
  const input = rules.map((rule) => renderRuleLine(rule, token)).join("\n");
  const check = `BEGIN { chains_begin(); comment_of["x"] = "xennet-${token}" }
    { lines["x"] = NR; bad = rule_value("x", $0); if (bad != "") print bad ": " $0 }`;
  const { stdout, stderr } = spawnSync(
    "sh",
    [
      "-c",
      `awk "$(cat ${program}/fragment.awk)
${check.replaceAll('"', '\\"').replaceAll("$0", "\\$0")}"`,
    ],
    // As the host program sets it: its patterns are of bytes.
    { input, encoding: "utf8", maxBuffer: 1 << 28, env: { ...process.env, LC_ALL: "C" } },
  );
  expect({ stdout: stdout.slice(0, 500), stderr }).toEqual({ stdout: "", stderr: "" });
});

test("a rule is read from its fragment as it was rendered", () => {
  const declared = {
    kind: "port-forward",
    token,
    owner: "o",
    incarnation: "0123456789abcdef",
    name: "n",
    network: "u",
    claims: [],
    enabled: true,
  } as const;
  for (const rules of specs) {
    const text = renderFragment(
      { ...declared, externalInterface: "auto", externalAddress: "auto", settings: [] },
      rules,
    );
    expect(rulesOf(text)).toEqual(rules);
  }
});

test.each(legs("legacy", "nft"))("iptables-%s-restore takes all of them", (backEnd) => {
  const lines = specs.flat().map(resolved);
  const text = Object.entries(chains).map(([table, names]) => {
    const own = lines.filter((line) => line.table === table).map(({ line }) => line);
    return [`*${table}`, ...names.map((name) => `:${name} - [0:0]`), ...own, "COMMIT", ""].join("\n");
  });
  expect(lines.length).toBeGreaterThan(cases);
  const command = `unshare -rn /usr/sbin/iptables-${backEnd}-restore --test`;
  const { status, stderr } = spawnSync("sh", ["-c", command], { input: text.join(""), encoding: "utf8" });
  expect({ status, stderr: stderr.slice(0, 500) }).toEqual({ status: 0, stderr: "" });
});
