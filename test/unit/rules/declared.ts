import { type HostForwardingSpec, hostForwardingRules } from "../../../provider/src/rules/host-forwarding.ts";
import { type PortForwardSpec, portForwardRules } from "../../../provider/src/rules/port-forward.ts";
import { renderRule } from "../../../provider/src/rules/render.ts";
import { chains, type Rule } from "../../../provider/src/rules/rule.ts";

const address = { address: "192.168.100.1", prefix: 24 };

const token = "0123456789ab";

export function forwarding(changes: Partial<HostForwardingSpec> = {}): Rule[] {
  return hostForwardingRules({ address, ...changes });
}

/** Port 8080 to port 80 of 192.168.100.12, unless said otherwise. */
export function forward(changes: Partial<PortForwardSpec> = {}): Rule[] {
  return portForwardRules({
    protocols: ["tcp"],
    externalPorts: { from: 8080, to: 8080 },
    target: "192.168.100.12",
    targetPorts: { from: 80, to: 80 },
    ...changes,
  });
}

/** Every kind of rule that this version makes, in the order of the chains. */
export const everyRule: readonly Rule[] = [
  ...forwarding({
    outbound: ["192.0.2.0/24"],
    infrastructure: ["192.168.1.11/32"],
    inbound: "network",
    guestAccessToHost: [{ protocols: ["udp"], ports: "123" }, { source: "192.168.100.7/32" }],
    clampMss: "pmtu",
  }),
  ...forwarding({ snat: "masquerade", clampMss: 1360, isolation: false }),
  ...forwarding({ snat: "off" }),
  ...forward({ hairpin: address, fromHost: true }),
  ...forward({
    protocols: ["tcp", "udp"],
    externalPorts: { from: 9000, to: 9002 },
    targetPorts: { from: 9000, to: 9002 },
  }),
  ...forward({ isLeased: true, sources: ["203.0.113.0/24"], notSources: ["203.0.113.9/32"] }),
  ...forward({
    ...{ externalPorts: { from: 22, to: 23 }, targetPorts: { from: 122, to: 123 } },
    management: { ports: [22], sources: ["192.168.1.0/24"] },
  }),
].sort((a, b) => a.rank - b.rank);

/** The rules as iptables-restore takes them, with the roles of the lab's host. */
export function restoreInput(rules: readonly Rule[]): string {
  const inOrder = [...rules].sort((a, b) => a.rank - b.rank);
  const tables = ["filter", "nat", "mangle"].map((table) => {
    const own = Object.values(chains).filter((chain) => chain.table === table);
    const lines = inOrder.filter((rule) => chains[rule.chain].table === table).map((rule) => renderRule(rule, token));
    const jumps = own.map(({ name }) => `-A ${name.replace("XENNET-", "")} -j ${name}`);
    return [`*${table}`, ...own.map(({ name }) => `:${name} - [0:0]`), ...jumps, ...lines, "COMMIT"];
  });
  return `${resolved(tables.flat().join("\n"))}\n`;
}

export function resolved(text: string): string {
  const names = { "@BRIDGE@": "xapi1", "@EXT_IF@": "xenbr0", "@EXT_IP@": "192.168.1.10" };
  const lists = { "@OTHER_BRIDGE@": "xapi0", "@OPENED_IF@": "xenbr0" };
  return Object.entries({ ...names, ...lists }).reduce((done, [role, name]) => done.replaceAll(role, name), text);
}
