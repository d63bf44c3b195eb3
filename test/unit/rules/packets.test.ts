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
