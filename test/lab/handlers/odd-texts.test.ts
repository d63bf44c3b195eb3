import { expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { parseFragment, rulesOf } from "../../../provider/src/rules/fragment.ts";
import { isUnknown } from "../../../provider/src/validation/unknown.ts";
import { oddTexts } from "../../support/odd-texts.ts";
import type { Host } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { declare, declareForwarding, forwardInputs } from "./declared-host.ts";
import { forward, nat, type provider, sharedHost, urnOf } from "./host-under-test.ts";

let host: Host;
let run: ReturnType<typeof provider>;

sharedHost((lab, labRun) => {
  [host, run] = [lab, labRun];
});

/** A text property, with a place for the text in those that hold one deeper down. */
type Place = readonly [property: string, place: (text: string) => unknown];
const plain = (property: string): Place => [property, (text) => text];

const placesOfForwarding: readonly Place[] = [
  ...["owner", "network", "address", "externalInterface", "externalAddress", "outbound", "inbound", "snat"].map(plain),
  ...["clampMss", "forwardingScope", "guestAccessToHost", "persistence"].map(plain),
  ["outbound", (text) => [text]],
  ["guestAccessToHost", (text) => [{ source: text, protocol: text, port: text }]],
  ["guestAccessToHost", (text) => [{ [text]: 80 }]],
];
const placesOfForward: readonly Place[] = [
  ...["owner", "network", "target", "externalPort", "targetPort", "protocol", "externalAddress"].map(plain),
  ...["externalInterface", "description"].map(plain),
  ["sources", (text) => [text]],
  ["notSources", (text) => [text]],
];

test.each<[string, string, Handler, Props, Place]>([
  ...placesOfForwarding.map((at) => ["HostForwarding", at[0], hostForwardingHandler, nat, at] as const),
  ...placesOfForward.map((at) => ["PortForward", at[0], portForwardHandler, forward, at] as const),
] as never)("1,000 odd texts in %s.%s never become more than the one value they are", async (...given) => {
  const [, , handler, base, [key, place]] = given;
  const before = await captureHost(host.lab, host.simulator);
  const context = run.process();
  for (const text of oddTexts(1000, 5)) {
    const { inputs, failures } = await handler.check(context, {}, { ...base, [key]: place(text) });
    // Every owner that passes is another resource, which wants the same port and addresses.
    const isAbout = failures.every(({ property }) => property.startsWith(key) || key === "owner");
    expect(isAbout, JSON.stringify([text, failures])).toBe(true);
    if (failures.length > 0) continue;
    for (const rule of inputs["rules"] as string[]) {
      // What a preview shows in place of a value that is not known is in angle brackets; `xapi+` is every bridge that XAPI names.
      expect(rule.replace(/<[^>]*>|(?<= -[io] xapi)\+(?= )/g, "")).toMatch(
        /^(filter|nat|mangle) -A XENNET-[A-Z]+ [A-Za-z0-9 _.,:/!-]+$/,
      );
    }
  }
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
});

test("texts that pass are stored and shown on the host as they are, 100 of them in at most 3 changes", async () => {
  const before = await captureHost(host.lab, host.simulator);
  const context = run.process();
  const network = await declare(xenNetworkHandler, context, { owner: urnOf("XenNetwork", "n"), nameLabel: "Internal" });
  const forwarding = await declareForwarding(context, network);
  const texts = [...new Set(oddTexts(1000, 11))].filter((text) => !isUnknown(text));
  const passed: Props[] = [];
  for (const [index, text] of texts.entries()) {
    if (passed.length === 100) break;
    const odd = { description: text, owner: urnOf("PortForward", text) };
    const given = {
      ...forwardInputs("", forwarding, { externalPort: 20_000 + index, target: "192.168.100.11" }),
      ...odd,
    };
    const { inputs, failures } = await portForwardHandler.check(context, {}, given);
    if (failures.length === 0) passed.push(inputs);
  }
  expect(passed).toHaveLength(100);

  const known = context.dom0.counters.applies;
  const made = await Promise.all(passed.map((inputs) => portForwardHandler.create(context, inputs)));
  expect(context.dom0.counters.applies - known).toBeLessThanOrEqual(3);

  const { fragments, missing, damaged, live } = await run.process().dom0.snapshot();
  expect([missing, damaged]).toEqual([[], []]);
  const status = await host.lab.runInDom0("xennet status");
  expect(status).toMatchObject({ status: 0, stderr: "" });
  for (const [index, { outs }] of made.entries()) {
    const token = String(outs["token"]);
    const text = fragments.find((fragment) => fragment.token === token)?.text ?? "";
    const { description, owner } = passed[index] as { description: string; owner: string };
    expect(parseFragment(text)).toMatchObject({ token, owner, description, settings: [] });
    expect(rulesOf(text)).toHaveLength(2);
    expect(live.filter(({ line }) => line.includes(`xennet-${token}`))).toHaveLength(2);
    expect(status.stdout.split("\n")).toContain(`  description  ${description}`);
  }

  await Promise.all(made.map(({ id, outs }) => portForwardHandler.delete(context, id, outs)));
  await hostForwardingHandler.delete(context, forwarding.id, forwarding.outs);
  await xenNetworkHandler.delete(context, network.id, network.outs);
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
});
