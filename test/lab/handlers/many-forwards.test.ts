import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostCounters } from "../../../provider/src/dom0/host.ts";
import { type Host, startHost } from "../host.ts";
import { ownRules } from "../own-rules.ts";
import { acceptPorts, REFUSAL, refusePorts } from "../picky-iptables.ts";
import { type CapturedHost, captureHost, compareHosts } from "../same-host.ts";
import type { Declared } from "./declared-host.ts";
import { type LabStack, labStack } from "./lab-stack.ts";

const COUNT = 100;
/** Which forwards the host refuses, once {@link refusePorts} has run. */
const REFUSED = [3, 50, 97];

let host: Host;
let before: CapturedHost;
let stack: LabStack;
beforeAll(async () => {
  host = await startHost();
  before = await captureHost(host.lab, host.simulator);
  stack = labStack(host, 1);
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await host?.close();
});

async function onDom0(script: string): Promise<string> {
  const { status, stdout, stderr } = await host.lab.runInDom0(`set -e\n${script}`);
  expect({ status, stderr }, script).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** Fragment files of the confirmed generation, with the time of their last change. */
const fragments = async () =>
  (
    await onDom0(
      'cd /etc/xennet/generations/$(cat /etc/xennet/confirmed); find . -name "*.fragment" -printf "%f %T@\\n"',
    )
  )
    .trim()
    .split("\n")
    .sort();

const tokenOf = ({ outs }: Declared) => outs["token"] as string;

/** What an up asked dom0 for beyond one look at its beginning: each change's run, and its confirmation. */
function expectNoFurtherLook({ logins, execs, applies, banners }: HostCounters): void {
  expect(execs).toBe(1 + applies + banners + (logins - 1));
}

test("of 100 forwards 97 are made and the 3 that the host refuses fail, each with its own message", async () => {
  await refusePorts(
    host.lab,
    REFUSED.map((n) => stack.forward(n).externalPort),
  );
  const results = await stack.upForwards(COUNT);
  const made = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  expect(made).toHaveLength(COUNT - REFUSED.length);
  for (const n of REFUSED) {
    const { externalPort } = stack.forward(n);
    expect(results[n]).toMatchObject({
      status: "rejected",
      reason: { code: "RULE_REFUSED", message: `The host refused the change: ${REFUSAL} ${externalPort}.` },
    });
  }
  const { nat } = await stack.upForwarding();
  const { byToken } = await ownRules(host.lab);
  expect([...byToken.keys()].sort()).toEqual([tokenOf(nat), ...made.map(tokenOf)].sort());
  const { counters } = stack.context.dom0;
  expect(counters.logins).toBe(2);
  expect(counters.applies).toBeLessThanOrEqual(16);
  await acceptPorts(host.lab);
});

test("a refresh takes one look at dom0, the up that makes what is missing none beside its change", async () => {
  const states = await stack.refresh();
  expect(states.map(({ drift }) => drift)).toEqual(Array.from({ length: COUNT - REFUSED.length }, () => []));
  const { counters } = stack.context.dom0;
  // Three scripts would be within bounds, a hundred not.
  expect(counters).toMatchObject({ logins: 1, execs: 1, applies: 0, banners: 0 });
  const results = await stack.upForwards(COUNT);
  expect(results.map(({ status }) => status)).toEqual(results.map(() => "fulfilled"));
  expect((await ownRules(host.lab)).byToken.size).toBe(COUNT + 1);
  expect(counters).toMatchObject({ logins: 2, applies: 1 });
  expectNoFurtherLook(counters);
});

test("one changed forward rewrites one fragment, and an unchanged one none", async () => {
  const old = await fragments();
  expect(await stack.change(7, {})).toMatchObject({ changes: false });
  expect(await fragments()).toEqual(old);
  const { changes, outs } = await stack.change(7, { targetPort: 8081 });
  expect(changes).toBe(true);
  const now = await fragments();
  expect(now.filter((line) => !old.includes(line)).map((line) => line.split(".")[0])).toEqual([outs["token"]]);
  expect(now).toHaveLength(old.length);
});

test("100 forwards go again, and leave the same host", async () => {
  await stack.destroy();
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
});
