import { afterEach, expect, test } from "vitest";
import { Dom0Host, type Dom0HostOptions } from "../../../provider/src/dom0/host.ts";
import { programText } from "../../../provider/src/dom0/program-text.ts";
import { Dom0Double } from "../../support/dom0-double/dom0-double.ts";
import { HOST_UUID, put } from "../../support/dom0-double/fragment.ts";
import { eventually } from "../../support/eventually.ts";

const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startDouble(options: Parameters<typeof Dom0Double.start>[0] = {}): Promise<Dom0Double> {
  const double = await Dom0Double.start(options);
  cleanups.push(() => double.stop());
  return double;
}

function openHost(double: Dom0Double, options: Partial<Dom0HostOptions> = {}): Dom0Host {
  const host = new Dom0Host({ endpoint: double.ssh.endpoint, confirmProbe: async () => {}, ...options });
  host.expectHost(HOST_UUID);
  cleanups.push(() => host.close());
  return host;
}

test("100 changes at once cost at most 3 applies and one login besides the confirmation's", async () => {
  const double = await startDouble();
  const host = openHost(double);
  const changes = Array.from({ length: 100 }, () => put());
  const outcomes = await Promise.all(changes.map((change) => host.submit(change)));
  expect(outcomes.map(({ result }) => result)).toEqual(changes.map(() => "ok"));
  expect(double.xennet.confirmedTokens).toEqual(changes.map(({ token }) => token).sort());
  expect(double.count("transact")).toBeLessThanOrEqual(3);
  expect(host.counters.applies).toBe(double.count("transact"));
  expect(host.counters.logins).toBe(2);
  expect(double.ssh.connections).toBe(2 + host.counters.banners);
});

test("100 changes, eight at a time, cost at most 15 applies", async () => {
  const double = await startDouble();
  const host = openHost(double);
  const changes = Array.from({ length: 100 }, () => put());
  const todo = [...changes];
  const worker = async (hops: number) => {
    for (let change = todo.shift(); change !== undefined; change = todo.shift()) {
      await host.submit(change);
      // Handlers have promises of their own between two changes, each another number.
      for (let hop = 0; hop < hops; hop += 1) await Promise.resolve();
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_none, index) => worker(index * 30)));
  expect(double.xennet.confirmedTokens).toHaveLength(100);
  expect(double.count("transact")).toBeLessThanOrEqual(15);
  expect(host.counters.logins).toBe(2);
});

test("what arrives during a transaction joins the next one", async () => {
  const double = await startDouble();
  const host = openHost(double);
  let running: Promise<unknown>[] = [];
  double.faults.delay = async (command) => {
    if (command === "transact" && running.length === 0) running = [1, 2, 3].map(() => host.submit(put()));
  };
  await host.submit(put());
  await Promise.all(running);
  expect(running).toHaveLength(3);
  expect(double.count("transact")).toBe(2);
});

test("two changes of one fragment go into two transactions, in order", async () => {
  const double = await startDouble();
  const host = openHost(double);
  const change = put();
  const removal = { op: "remove", token: change.token, incarnation: "0123456789abcdef" } as const;
  const outcomes = await Promise.all([host.submit(change), host.submit(removal)]);
  expect(outcomes.map(({ result }) => result)).toEqual(["ok", "ok"]);
  expect(double.count("transact")).toBe(2);
  expect(double.xennet.confirmedTokens).toEqual([]);
});

test("removing what is not there is answered as absent, without a confirmation", async () => {
  const double = await startDouble();
  const host = openHost(double);
  const outcome = await host.submit({ op: "remove", token: "3f2a9c0d41b7", incarnation: "0123456789abcdef" });
  expect(outcome.result).toBe("absent");
  expect(double.calls).toEqual(["transact"]);
});

test("a fragment the host refuses fails alone", async () => {
  const double = await startDouble();
  const host = openHost(double);
  const good = put();
  const bad = put({ extra: "rule 20 nat -A XENNET-PREROUTING --no-such-option" });
  const [first, second] = await Promise.allSettled([host.submit(good), host.submit(bad)]);
  expect(first.status).toBe("fulfilled");
  expect(second).toMatchObject({ status: "rejected", reason: { code: "RULE_REFUSED" } });
  expect(double.xennet.confirmedTokens).toEqual([good.token]);
});

test("a malformed fragment is refused before anything is sent", async () => {
  const double = await startDouble();
  const host = openHost(double);
  const token = "3f2a9c0d41b7";
  const texts = [
    `xennet-fragment 1\ntoken ${token}\nend\nremove x y\nend\n`,
    `xennet-fragment 1\ntoken ${token}\n`,
    "",
  ];
  for (const text of texts) {
    await expect(host.submit({ op: "put", token, text })).rejects.toMatchObject({ code: "FRAGMENT_MALFORMED" });
  }
  expect(double.ssh.connections).toBe(0);
});

test("the first change is confirmed by a fresh login and the other way in, later ones by the banner", async () => {
  const double = await startDouble();
  let probes = 0;
  const host = openHost(double, {
    confirmProbe: async () => {
      probes += 1;
    },
  });
  await host.submit(put());
  expect({ probes, ...host.counters }).toMatchObject({ probes: 1, logins: 2, banners: 0 });
  await host.submit(put());
  expect({ probes, ...host.counters }).toMatchObject({ probes: 1, logins: 2, banners: 1 });
  await host.submit({ ...put(), touchesManagement: true });
  expect({ probes, ...host.counters }).toMatchObject({ probes: 2, logins: 3, banners: 1 });
});

test("snapshots are shared while they are used every 2 s, for 20 s at most, and an apply returns the new one", async () => {
  const double = await startDouble();
  let now = 0;
  const clock = { now: () => now, sleep: async () => {} };
  const host = openHost(double, { clock });
  await Promise.all([host.snapshot(), host.snapshot(), host.snapshot()]);
  for (now = 2000; now <= 20_000; now += 2000) await host.snapshot();
  // Without a program on the host the first look takes two commands.
  expect(double.count("snapshot")).toBe(2);
  now = 20_001;
  await host.snapshot();
  expect(double.count("snapshot")).toBe(4);
  now += 2001;
  await host.snapshot();
  expect(double.count("snapshot")).toBe(6);
  const change = put();
  await host.submit(change);
  const after = await host.snapshot();
  expect(after.fragments.map(({ token }) => token)).toEqual([change.token]);
  expect(after.fragments[0]?.text).toBe(change.text);
  expect(double.count("snapshot")).toBe(6);
  await host.snapshot(0);
  expect(double.count("snapshot")).toBe(7);
});

test("an idle connection is closed, and the next use opens another", async () => {
  const double = await startDouble({ installed: programText().version });
  const host = openHost(double, { timing: { idleMs: 20 } });
  await host.snapshot();
  await eventually(() => expect(double.ssh.openConnections).toBe(0));
  await host.snapshot(0);
  expect(host.counters.logins).toBe(2);
});

test("a host with a newer program is left alone", async () => {
  const double = await startDouble({ installed: 999 });
  const host = openHost(double);
  await expect(host.snapshot()).rejects.toMatchObject({ code: "PROGRAM_NEWER" });
  await expect(host.submit(put())).rejects.toMatchObject({ code: "PROGRAM_NEWER" });
  expect(double.xennet.installed).toBe(999);
});

test("another host behind the SSH endpoint is refused, in reads and in changes, and gets no program", async () => {
  const double = await startDouble();
  const host = openHost(double);
  host.expectHost("11111111-2222-4333-8444-555555555555");
  await expect(host.submit(put())).rejects.toMatchObject({ code: "HOST_MISMATCH" });
  const error = await host.snapshot().catch((reason: Error) => reason);
  expect(error).toMatchObject({ code: "HOST_MISMATCH" });
  expect(String(error)).toContain("SSH and XAPI endpoints are different hosts");
  expect(double.xennet.installed).toBeUndefined();
});

test("nothing of ours is on a command line of the host", async () => {
  const double = await startDouble();
  const host = openHost(double);
  await host.submit(put());
  await host.snapshot(0);
  expect(new Set(double.ssh.commands)).toEqual(new Set(["/bin/sh -s"]));
});
