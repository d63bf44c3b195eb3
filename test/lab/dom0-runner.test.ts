import { afterEach, beforeEach, expect, test } from "vitest";
import { Dom0Host, type Dom0HostOptions } from "../../provider/src/dom0/host.ts";
import { connectSsh } from "../../provider/src/dom0/ssh.ts";
import type { SshEndpoint } from "../../provider/src/dom0/ssh-endpoint.ts";
import {
  type FragmentText,
  hostForwardingText,
  portForwardText,
  randomToken,
} from "../support/dom0-double/fragment.ts";
import { eventually } from "../support/eventually.ts";
import { type Lab, startLab } from "./lab.ts";

const NETWORK = "5f0b0d0e-6a1e-4b8e-9f5e-0f2f6a0b7c11";
const hosts: Dom0Host[] = [];
let lab: Lab;

beforeEach(async () => {
  lab = await startLab();
  await lab.backplane.networksChanged([{ uuid: NETWORK, bridge: "xapi0" }]);
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
  await lab.close();
});

function endpoint(): SshEndpoint {
  const { host, port, user, privateKey, hostKey } = lab.ssh;
  return { host, port, username: user, privateKey, hostKey };
}

function openHost(options: Partial<Dom0HostOptions> = {}): Dom0Host {
  const host = new Dom0Host({ endpoint: endpoint(), confirmProbe: async () => {}, ...options });
  host.expectHost(lab.hostUuid);
  hosts.push(host);
  return host;
}

const put = ({ token, text }: FragmentText) => ({ op: "put", token, text }) as const;
const remove = ({ token, incarnation }: FragmentText) => ({ op: "remove", token, incarnation }) as const;

async function onDom0(script: string): Promise<string> {
  return (await lab.runInDom0(script)).stdout;
}

test("a look at a bare host leaves nothing there", async () => {
  const snapshot = await openHost().snapshot();
  expect(snapshot).toMatchObject({ host: lab.hostUuid, program: undefined, confirmed: undefined, fragments: [] });
  expect(snapshot.external).toMatchObject({ interface: "xenbr0", address: "192.168.1.10/24" });
  expect(await onDom0("ls -d /etc/xennet /usr/local/sbin/xennet 2>/dev/null")).toBe("");
});

test("100 forwards at once take at most 3 applies, are in force, and go again without a trace", async () => {
  const host = openHost();
  const forwarding = hostForwardingText(NETWORK);
  const forwards = Array.from({ length: 99 }, (_none, n) => portForwardText(NETWORK, forwarding.token, 20_000 + n));
  const all = [forwarding, ...forwards];
  await Promise.all(all.map((fragment) => host.submit(put(fragment))));
  expect(host.counters.applies).toBeLessThanOrEqual(3);
  expect(host.counters.logins).toBe(2);
  const snapshot = await host.snapshot(0);
  expect(snapshot.fragments.map(({ text }) => text).sort()).toEqual(all.map(({ text }) => text).sort());
  expect(snapshot.pending).toBeUndefined();
  const before = host.counters.applies;
  await Promise.all(all.map((fragment) => host.submit(remove(fragment))));
  expect(host.counters.applies - before).toBeLessThanOrEqual(3);
  expect(await onDom0("ls -d /etc/xennet /usr/local/sbin/xennet 2>/dev/null; iptables-save | grep XENNET")).toBe("");
});

test("100 forwards, eight at a time, take at most 15 applies", async () => {
  const host = openHost();
  const forwarding = hostForwardingText(NETWORK);
  const all = Array.from({ length: 100 }, (_none, n) => portForwardText(NETWORK, forwarding.token, 21_000 + n));
  const todo = [...all];
  const worker = async () => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) await host.submit(put(next));
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(host.counters.applies).toBeLessThanOrEqual(15);
  expect((await host.snapshot(0)).fragments).toHaveLength(100);
  await Promise.all(all.map((fragment) => host.submit(remove(fragment))));
});

test("a change that cuts SSH is taken back by the host itself, and fails as not confirmed", async () => {
  const timing = { connectMs: 1500, confirmMs: 1500, revertMs: 1000, windowSeconds: 5 };
  const host = openHost({ timing });
  const lockOut = hostForwardingText(NETWORK, [
    "rule 1 filter -A XENNET-INPUT -p tcp -m tcp --dport 22 -m comment --comment xennet-@TOKEN@ -j DROP",
  ]);
  await expect(host.submit(put(lockOut))).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
  const later = openHost({ timing: { connectMs: 1000 } });
  await eventually(() => later.snapshot(0), 20_000);
  expect((await later.snapshot(0)).fragments).toEqual([]);
});

test("a rule iptables refuses fails alone", async () => {
  const host = openHost();
  const good = portForwardText(NETWORK, randomToken(), 22_001);
  const bad = hostForwardingText(NETWORK, [
    "rule 20 filter -A XENNET-FORWARD -p tcp -m tcp --dport 99999 -m comment --comment xennet-@TOKEN@ -j ACCEPT",
  ]);
  const results = await Promise.allSettled([host.submit(put(good)), host.submit(put(bad))]);
  expect(results[0]).toMatchObject({ status: "fulfilled" });
  expect(results[1]).toMatchObject({ status: "rejected", reason: { code: "RULE_REFUSED" } });
  await host.submit(remove(good));
});

test("a dropped connection in the middle of a change loses nothing", async () => {
  const host = openHost();
  const fragment = portForwardText(NETWORK, randomToken(), 22_002);
  await host.snapshot();
  const submitted = host.submit(put(fragment));
  await eventually(() => expect(host.counters.applies).toBe(1));
  lab.cutSsh();
  expect((await submitted).result).toBe("ok");
  expect((await host.snapshot(0)).fragments.map(({ text }) => text)).toEqual([fragment.text]);
  await host.submit(remove(fragment));
});

test("another host than XAPI's is refused and gets nothing", async () => {
  const host = openHost();
  host.expectHost("11111111-2222-4333-8444-555555555555");
  const fragment = portForwardText(NETWORK, randomToken(), 22_003);
  await expect(host.submit(put(fragment))).rejects.toMatchObject({ code: "HOST_MISMATCH" });
  expect(await onDom0("ls -d /etc/xennet /usr/local/sbin/xennet 2>/dev/null")).toBe("");
});

test("OpenSSH takes key and password, refuses a wrong one, and keeps no connection once the host is idle", async () => {
  await (await connectSsh(endpoint())).end();
  const { privateKey: _, ...withoutKey } = endpoint();
  await (await connectSsh({ ...withoutKey, password: lab.ssh.password })).end();
  const wrong = connectSsh({ ...withoutKey, password: "not the password" });
  await expect(wrong).rejects.toMatchObject({ code: "SSH_AUTH_FAILED" });
  await openHost({ timing: { idleMs: 50 } }).snapshot();
  await eventually(async () => expect(await lab.sshConnections()).toBe(0), 5000);
});
