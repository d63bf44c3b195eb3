import { afterEach, expect, test } from "vitest";
import { type Detour, startDetour } from "../../support/detour.ts";
import { eventually } from "../../support/eventually.ts";
import { type Host, startHost } from "../host.ts";
import { newToken, portForward, put, transaction } from "../host-program/declarations.ts";
import { ownRules } from "../own-rules.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import type { Declared } from "./declared-host.ts";
import { type LabStack, labStack } from "./lab-stack.ts";

const FORWARDS = 20;
const cleanups: AsyncDisposable[] = [];

afterEach(async () => {
  for (const thing of cleanups.splice(0).reverse()) await thing[Symbol.asyncDispose]();
});

async function start(iptables: "legacy" | "nft") {
  const host = await startHost({ iptables });
  cleanups.push(host);
  return { host, before: await captureHost(host.lab, host.simulator) };
}

function open(host: Host, number: number, way?: Detour): LabStack {
  const env = way === undefined ? {} : { XENNET_SSH_PORT: String(way.port) };
  const stack = labStack(host, number, { env, parallel: FORWARDS });
  cleanups.push(stack);
  return stack;
}

const tokenOf = ({ outs }: Declared) => outs["token"] as string;

function madeAll(results: readonly PromiseSettledResult<Declared>[]): Declared[] {
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/** Every forward's two rules once and in full, those of the forwardings, and nothing else that is ours. */
async function expectExactly(host: Host, declared: ReadonlyArray<{ stack: LabStack; forwards: readonly Declared[] }>) {
  const { byToken, jumps } = await ownRules(host.lab);
  const wanted: string[] = [];
  for (const { stack, forwards } of declared) {
    const { nat } = await stack.upForwarding();
    wanted.push(tokenOf(nat));
    const rules = byToken.get(tokenOf(nat)) ?? [];
    expect(rules.length).toBeGreaterThan(0);
    expect(new Set(rules).size).toBe(rules.length);
    for (const [n, forward] of forwards.entries()) {
      const { externalPort, target } = stack.forward(n);
      wanted.push(tokenOf(forward));
      const found = byToken.get(tokenOf(forward)) ?? [];
      expect(
        found.filter((rule) => rule.includes(`--dport ${externalPort} `) && rule.includes(`${target}:80`)),
      ).toHaveLength(1);
      expect(found.filter((rule) => rule.startsWith("filter ") && rule.includes(` -d ${target}/32 `))).toHaveLength(1);
      expect(found).toHaveLength(2);
    }
  }
  expect([...byToken.keys()].sort()).toEqual(wanted.sort());
  expect(jumps).toHaveLength(new Set(jumps).size);
}

test("two stacks at once get exactly what they declared, though one loses its way to the host in between", async () => {
  const { host, before } = await start("legacy");
  const way = await startDetour(host.lab.ssh);
  cleanups.push(way);
  const [steady, unlucky] = [open(host, 1), open(host, 2, way)];
  await Promise.all([steady.upForwarding(), unlucky.upForwarding()]);
  way.block();
  const [kept, lost] = await Promise.all([steady.upForwards(FORWARDS), unlucky.upForwards(FORWARDS)]);
  for (const result of lost) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "NOT_CONFIRMED" } });
  }
  await expectExactly(host, [
    { stack: steady, forwards: madeAll(kept) },
    { stack: unlucky, forwards: [] },
  ]);
  way.unblock();
  const again = madeAll(await unlucky.upForwards(FORWARDS));
  await expectExactly(host, [
    { stack: steady, forwards: madeAll(kept) },
    { stack: unlucky, forwards: again },
  ]);
  await Promise.all([steady.destroy(), unlucky.destroy()]);
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
});

// About 40 transactions, one after the other.
test("six stacks at once do as well, beside one that ends in the middle of its change", {
  timeout: 180_000,
}, async () => {
  const { host, before } = await start("nft");
  const stacks = [1, 2, 3, 4, 5, 6].map((number) => open(host, number));
  const [first] = stacks as [LabStack];
  const { network } = await first.upForwarding();
  const networkUuid = network.outs["uuid"] as string;
  // A provider that is gone after its transaction: nobody ever confirms.
  const abandoned = Array.from({ length: FORWARDS }, (_none, n) => {
    const token = newToken();
    return put(token, portForward({ network: networkUuid }, token, 30_000 + n));
  });
  const text = transaction(host.lab, abandoned, 5);
  const [orphan, ...made] = await Promise.all([
    host.lab.runInDom0(`until xennet transact <<'END'; do [ $? = 75 ] || exit 1; done\n${text}END`),
    ...stacks.map((stack) => stack.upForwards(FORWARDS)),
  ]);
  expect(orphan.stdout).toMatch(/^pending \d+ \d+$/m);
  const declared = stacks.map((stack, index) => ({ stack, forwards: madeAll(made[index] ?? []) }));
  // It may have been the last to find the host free.
  await eventually(() => expectExactly(host, declared), 10_000);
  await Promise.all(stacks.map((stack) => stack.destroy()));
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
});
