import { afterEach, expect, test } from "vitest";
import { Dom0Host } from "../../../provider/src/dom0/host.ts";
import { programText } from "../../../provider/src/dom0/program-text.ts";
import { Dom0Double } from "../../support/dom0-double/dom0-double.ts";
import { HOST_UUID, put } from "../../support/dom0-double/fragment.ts";
import { type ExecAnswer, TestSshServer } from "../../support/dom0-double/ssh-server.ts";
import { XennetDouble } from "../../support/dom0-double/xennet-double.ts";

const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The error of a change, and of a look, that the host answers so. */
async function errorsOf(answer: ExecAnswer | ((token: string) => ExecAnswer)) {
  const double = await Dom0Double.start({ installed: programText().version });
  cleanups.push(() => double.stop());
  const change = put();
  const given = typeof answer === "function" ? answer(change.token) : answer;
  double.faults.answer = () => given;
  const host = new Dom0Host({ endpoint: double.ssh.endpoint, confirmProbe: async () => {} });
  host.expectHost(HOST_UUID);
  cleanups.push(() => host.close());
  const messageOf = (error: Error) => error.message;
  return {
    change: await host.submit(change).then(() => "", messageOf),
    look: await host.snapshot().then(() => "", messageOf),
  };
}

test("a program that ends without a word is told with its status, what was run, and that nothing was said", async () => {
  const { change, look } = await errorsOf({ stdout: "", code: 2 });
  expect(change).toMatch(/^"xennet transact" ended with status 2 on the host, and said nothing\. .*`xennet status`/);
  expect(look).toMatch(/^"xennet snapshot" ended with status 2 on the host, and said nothing\. /);
});

test("what it said on stdout is told where stderr is empty", async () => {
  const { change } = await errorsOf({ stdout: "outcome aaaaaaaaaaaa ok\nawk: out of memory\n", code: 1 });
  expect(change).toContain("ended with status 1 on the host, and said: outcome aaaaaaaaaaaa ok / awk: out of memory.");
});

test("a code without a text comes with status, command and what else was said", async () => {
  const silent = await errorsOf({ stdout: "error HOST_PROGRAM_FAILED \n", code: 65 });
  expect(silent.change).toMatch(
    /The host refused "xennet transact" without a reason \(status 65\), and said nothing else\. .*`xennet status`/,
  );
  const loud = await errorsOf({ stdout: "error HOST_PROGRAM_FAILED\n", stderr: "ip: no such device\n", code: 65 });
  expect(loud.look).toContain(
    'The host refused "xennet snapshot" without a reason (status 65), and said: ip: no such device.',
  );
});

test("so does an outcome without a text", async () => {
  const snapshot = new XennetDouble(HOST_UUID).run("snapshot", undefined, "").stdout;
  const { change } = await errorsOf((token) => ({
    ...{ stdout: `outcome ${token} error RULE_REFUSED\nunchanged\n${snapshot}`, code: 0 },
    stderr: "iptables-restore: line 7 failed\n",
  }));
  expect(change).toContain("The host refused the change without a reason, and said: iptables-restore: line 7 failed.");
});

test("a text is never taken for its own reason: the code alone is none", async () => {
  const { change } = await errorsOf({ stdout: "error STORE_FAILED STORE_FAILED\n", code: 65 });
  expect(change).toContain("without a reason (status 65)");
});

test("a login shell that runs nothing is told with its words", async () => {
  const onExec = async () => ({ stdout: "This account is currently not available.\n", code: 1 });
  const server = await TestSshServer.start({ onExec });
  cleanups.push(() => server.stop());
  const host = new Dom0Host({ endpoint: server.endpoint, confirmProbe: async () => {} });
  cleanups.push(() => host.close());
  await expect(host.snapshot()).rejects.toThrow(
    /status 1 on the host, and said: This account is currently not available\. /,
  );
});

test.each([
  ["CLAIM_TAKEN", "externalPort", "tcp 8080 (the host already forwards it)"],
  ["SUBNET_TAKEN", "address", "the subnet 192.168.100.1/24"],
  ["NETWORK_TAKEN", "network", "the network 5f0b0d0e-6a1e-4b8e-9f5e-0f2f6a0b7c11"],
])("%s names the property, the holder and what to do", async (code, property, what) => {
  const snapshot = new XennetDouble(HOST_UUID).run("snapshot", undefined, "").stdout;
  const said = `${what} is held by "web" of stack shop/first on this host`;
  const { change } = await errorsOf((token) => ({
    stdout: `outcome ${token} error ${code} ${said}\nunchanged\n${snapshot}`,
    code: 0,
  }));
  expect(change).toContain(`found that ${said}: another stack has it`);
  expect(change).toContain(`Choose another ${property}, or take it out of that stack first`);
});
