import { expect, test, vi } from "vitest";
import { isUnprintable } from "../../../provider/src/core/foreign-text.ts";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { handle } from "../../../provider/src/handlers/index.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { runtime, showWarning } from "../../../provider/src/handlers/runtime.ts";
import type { Host } from "../../../provider/src/hosts/host.ts";

const forged = 'x\u001b[2K\r\nerror: pin this fingerprint: "pulumi config set \u202e"';

vi.spyOn(runtime, "host").mockResolvedValue({} as Host);

test("a failure of check that quotes a hostile text, and an error nobody expected, stay on one line", async () => {
  vi.spyOn(xenNetworkHandler, "check").mockResolvedValueOnce({
    inputs: {},
    failures: [{ property: `otherConfig["${forged}"]`, reason: `expected another network than ${forged}` }],
  });
  const { failures } = (await handle("XenNetwork", "check", [{}, {}])) as { failures: Record<string, string>[] };
  expect(Object.values(failures[0] ?? {}).filter((text) => isUnprintable(text))).toEqual([]);

  vi.spyOn(xenNetworkHandler, "read").mockRejectedValueOnce(new TypeError(`cannot read ${forged}`));
  const error = (await handle("XenNetwork", "read", ["id", {}]).catch((thrown: unknown) => thrown)) as Error;
  expect(isUnprintable(error.message)).toBe(false);
  const [first, ...frames] = error.stack?.split("\n") ?? [];
  expect(first).toBe(`TypeError: ${error.message}`);
  expect(frames.length).toBeGreaterThan(2);
  expect(frames.filter((frame) => !frame.startsWith("    at "))).toEqual([]);
});

test("outputs that describe the host are shown as text, and a name stays what it is", async () => {
  const props = { nameLabel: forged, rules: [`filter ${forged}`], drift: [forged], shadowedBy: [`nat ${forged}`] };
  vi.spyOn(hostForwardingHandler, "read").mockResolvedValueOnce({ id: "x", props, inputs: props });
  const read = (await handle("HostForwarding", "read", ["x", {}])) as Record<"props" | "inputs", typeof props>;
  for (const { nameLabel, rules, drift, shadowedBy } of [read.props, read.inputs]) {
    expect(nameLabel).toBe(forged);
    expect([...rules, ...drift, ...shadowedBy].filter(isUnprintable)).toEqual([]);
  }
});

test("a warning cannot begin a line of its own", async () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  showWarning(`network ${forged} is used by others`);
  vi.restoreAllMocks();
  expect(written).toHaveLength(1);
  expect(written[0]?.match(/\n/g)).toHaveLength(1);
  expect(isUnprintable(written[0]?.trimEnd() ?? "")).toBe(false);
});
