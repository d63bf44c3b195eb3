import { describe, expect, test } from "vitest";
import { normalisedForwarding } from "../../../provider/src/handlers/forwarding/host-forwarding-check.ts";
import { forwardingRules } from "../../../provider/src/handlers/forwarding/host-forwarding-spec.ts";
import { normalisedForward } from "../../../provider/src/handlers/forwarding/port-forward-check.ts";
import { forwardRules } from "../../../provider/src/handlers/forwarding/port-forward-spec.ts";
import { parseSaved } from "../../../provider/src/rules/saved.ts";
import { STOCK_FIREWALL } from "../../lab/dom0-files.ts";
import { names, type PacketRow, scenarios } from "../../support/packets/packet-table.ts";
import { type Fate, trace } from "../../support/packets/trace.ts";
import { restoreInput } from "./declared.ts";

const interfaces = { xenbr0: "192.168.1.10/24", xapi1: "192.168.100.1/24" };

function shown(fate: Fate): string {
  if (fate.kind !== "answered") return fate.kind;
  const who = Object.entries(names).find(([, address]) => address === fate.by)?.[0];
  return `${who ?? fate.by}:${fate.port} sees ${fate.peer}`;
}

function sourceOf(row: PacketRow): string {
  if (row.from !== "dom0") return names[row.from] ?? "";
  return row.to.startsWith("192.168.100.") ? "192.168.100.1" : "192.168.1.10";
}

describe.each(scenarios)("$title", ({ forwarding, forwards, packets }) => {
  const forwardingAddress = "192.168.100.1/24";
  const rules = [
    ...forwardingRules(normalisedForwarding({ ...forwarding, address: forwardingAddress })),
    ...forwards.flatMap((inputs) => forwardRules(normalisedForward({ ...inputs, forwardingAddress }))),
  ];
  // Our jumps come before the stock chain's.
  const saved = [...parseSaved(restoreInput(rules)), ...parseSaved(STOCK_FIREWALL)];

  test.each(packets)("$from to $to: $fate", (row) => {
    const [destination = "", port] = row.to.split(":");
    const fate = trace(
      { rules: saved, interfaces, outside: "xenbr0" },
      { source: sourceOf(row), destination, port: Number(port) },
    );
    expect(shown(fate)).toBe(row.fate);
  });
});

/** `xapi0` is another network's and known; at `xapi9` the host has not looked yet. The stock firewall accepts 443 everywhere. */
test.each([
  ["a bridge that nobody knows yet", "172.16.9.5", "dom0", "192.168.1.10", "dropped"],
  ["a bridge that nobody knows yet", "172.16.9.5", "storage", "10.10.10.2", "dropped"],
  ["a bridge that nobody knows yet", "172.16.9.5", "the LAN", "192.168.1.50", "dropped"],
  ["the LAN", "192.168.1.50", "a bridge that nobody knows yet", "172.16.9.5", "dropped"],
  ["the LAN", "192.168.1.50", "storage", "10.10.10.2", "dropped"],
  ["storage", "10.10.10.2", "dom0", "192.168.1.10", "answered"],
  ["storage", "10.10.10.2", "the LAN", "192.168.1.50", "answered"],
  ["the LAN", "192.168.1.50", "dom0", "192.168.1.10", "answered"],
])("beside a forwarding, from %s (%s) to %s (%s): %s", (_from, source, _to, destination, fate) => {
  const rules = forwardingRules(normalisedForwarding({ address: "192.168.100.1/24" }));
  const host = {
    rules: [...parseSaved(restoreInput(rules)), ...parseSaved(STOCK_FIREWALL)],
    interfaces: { ...interfaces, xapi0: "10.10.10.1/24", xapi9: "172.16.9.1/24" },
    outside: "xenbr0",
  };
  expect(trace(host, { source, destination, port: 443 }).kind).toBe(fate);
});
