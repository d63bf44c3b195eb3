import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, portForward, put, remove, transact } from "./declarations.ts";
import { hostState, lines, snapshot } from "./host-state.ts";

let box: Box;
const nat = newToken();
const web = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
  await declare(box, [put(nat, hostForwarding(box, nat)), put(web, portForward(box, web, 8080))]);
});
afterEach(() => box.close());

const outcomes = (answer: { stdout: string }) => lines(answer.stdout, "outcome");
const of = (stack: string, fragment: string) => fragment.replace("urn:pulumi:dev::shop::", stack);
const theirs = (fragment: string) => of("urn:pulumi:prod::shop::", fragment);
/** A forward of another stack, whose text was changed. */
const foreign = (port: number, change = (text: string) => text) => {
  const token = newToken();
  return { token, put: put(token, theirs(change(portForward(box, token, port)))) };
};
const held = `is held by "web" of stack shop/dev on this host`;

test("a port that another stack has is refused, with its name, and nothing else of the transaction", async () => {
  const before = (await hostState(box)).replace(/.*\/etc\/xennet\/last.*\n/g, "");
  const [mine, free] = [foreign(8080), foreign(8081)];
  const alone = await transact(box, [mine.put]);
  expect(outcomes(alone)).toEqual([`${mine.token} error CLAIM_TAKEN tcp port 8080 ${held}`]);
  expect(alone.stdout).toMatch(/^unchanged$/m);
  expect((await hostState(box)).replace(/.*\/etc\/xennet\/last.*\n/g, "")).toBe(before);
  const both = await transact(box, [mine.put, free.put]);
  expect(outcomes(both).map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
    `${mine.token} error CLAIM_TAKEN`,
    `${free.token} ok`,
  ]);
});

describe("a claim is", () => {
  const claims = (text: string) => (fragment: string) => fragment.replace("claim tcp 8080", text);
  const at = (address: string) => (fragment: string) =>
    fragment.replace("external-address auto", `external-address ${address}`);
  test.each([
    ["taken in a range", true, claims("claim tcp 8000-8100")],
    ["free beside a range", false, claims("claim tcp 8081-8100")],
    ["free with another protocol", false, claims("claim udp 8080")],
    ["taken by the address that auto stands for", true, at("10.0.0.1")],
    ["free on another address", false, at("10.0.0.9")],
    ["free while it is not enabled", false, claims("claim tcp 8080\nenabled no")],
  ])("%s", async (_what, isTaken, change) => {
    const { token, put: operation } = foreign(8080, change);
    const [outcome] = outcomes(await transact(box, [operation]));
    expect(outcome).toMatch(new RegExp(isTaken ? `^${token} error CLAIM_TAKEN .* ${held}$` : `^${token} ok$`));
  });

  test("taken on every address while DHCP assigns the one of the holder", async () => {
    await box.sh(
      "mkdir -p /etc/sysconfig/network-scripts; echo BOOTPROTO=dhcp >/etc/sysconfig/network-scripts/ifcfg-xenbr0",
    );
    expect(outcomes(await transact(box, [foreign(8080, at("10.0.0.9")).put]))[0]).toContain("CLAIM_TAKEN");
  });

  test("free once its holder is removed, in the same transaction too", async () => {
    const mine = foreign(8080);
    expect(outcomes(await transact(box, [remove(web), mine.put]))).toEqual([`${web} ok`, `${mine.token} ok`]);
  });
});

test("one stack at a time forwards for a network, or has addresses of a subnet", async () => {
  const other = { network: box.network.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) };
  const token = newToken();
  const outcome = async (fragment: string) => outcomes(await transact(box, [put(token, theirs(fragment))]))[0];
  const byNat = `is held by "nat" of stack shop/dev on this host`;
  expect(await outcome(hostForwarding(box, token, { address: "10.9.9.1/24" }))).toBe(
    `${token} error NETWORK_TAKEN the network ${box.network} ${byNat}`,
  );
  expect(await outcome(hostForwarding(other, token, { address: "192.168.100.129/25" }))).toBe(
    `${token} error SUBNET_TAKEN the subnet 192.168.100.1/24 ${byNat}`,
  );
  expect(await outcome(hostForwarding(other, token, { address: "192.168.1.1/16" }))).toContain("SUBNET_TAKEN");
  expect(await outcome(hostForwarding(other, token, { address: "192.168.101.1/24" }))).toBe(`${token} ok`);
});

describe("the same stack has its way", () => {
  test("with a second forward of the port", async () => {
    const token = newToken();
    expect(outcomes(await transact(box, [put(token, portForward(box, token, 8080))]))).toEqual([`${token} ok`]);
  });

  test("and its ports change places, after the stack was renamed, too", async () => {
    const other = newToken();
    await declare(box, [put(other, portForward(box, other, 8081))]);
    for (const text of [theirs(portForward(box, web, 8081)), theirs(portForward(box, other, 8080))]) {
      const token = /^token (.*)$/m.exec(text)?.[1] as string;
      const answer = await transact(box, [put(token, text)]);
      expect(outcomes(answer)).toEqual([`${token} ok`]);
      await box.xennet(`confirm ${pendingOf(answer)}`);
    }
  });

  test("but not with another prefix of owners, nor under an owner that is no URN", async () => {
    for (const owner of ["office urn:pulumi:dev::shop::", "somebody "]) {
      const token = newToken();
      const answer = await transact(box, [put(token, of(owner, portForward(box, token, 8080)))]);
      expect(outcomes(answer)[0]).toContain("CLAIM_TAKEN");
    }
  });
});

test("what two other stacks have in common from before is left alone", async () => {
  const token = newToken();
  await declare(box, [put(token, portForward(box, token, 8080))]);
  await box.sh(`sed -i s/urn:pulumi:dev::/urn:pulumi:prod::/ /etc/xennet/generations/*/${token}.fragment`);
  const described = theirs(portForward(box, token, 8080)).replace("claim", "description changed\nclaim");
  expect(outcomes(await transact(box, [put(token, described)]))).toEqual([`${token} ok`]);
  expect(lines(await snapshot(box), "missing")).toEqual([]);
});
