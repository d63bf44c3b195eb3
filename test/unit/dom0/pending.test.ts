import { afterEach, expect, test } from "vitest";
import { Dom0Host, type Dom0HostOptions } from "../../../provider/src/dom0/host.ts";
import { programText } from "../../../provider/src/dom0/program-text.ts";
import { Dom0Double } from "../../support/dom0-double/dom0-double.ts";
import { fragmentText, HOST_UUID, put } from "../../support/dom0-double/fragment.ts";
import { eventually } from "../../support/eventually.ts";

const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startDouble(options: Parameters<typeof Dom0Double.start>[0] = {}): Promise<Dom0Double> {
  const double = await Dom0Double.start({ installed: programText().version, ...options });
  cleanups.push(() => double.stop());
  return double;
}

function openHost(double: Dom0Double, options: Partial<Dom0HostOptions> = {}): Dom0Host {
  const timing = { retryMs: 10, busyMs: 3000, ...options.timing };
  const host = new Dom0Host({ endpoint: double.ssh.endpoint, confirmProbe: async () => {}, ...options, timing });
  host.expectHost(HOST_UUID);
  cleanups.push(() => host.close());
  return host;
}

const token = "aaaaaaaaaaaa";

/** What a run that is dead now, or another one, left pending. */
function pendingElsewhere(double: Dom0Double, change: "put" | "remove", window = 30): void {
  const body = change === "put" ? `put ${token}\n${fragmentText(token)}` : `remove ${token} 0123456789abcdef\n`;
  double.xennet.transact(`xennet-transaction 1\nhost ${HOST_UUID}\nwindow ${window}\n${body}commit\n`);
}

function storedElsewhere(double: Dom0Double): void {
  pendingElsewhere(double, "put");
  double.xennet.run("confirm", double.xennet.pendingGeneration, "");
}

const tokensOf = ({ fragments }: { fragments: ReadonlyArray<{ token: string }> }) => fragments.map((one) => one.token);

test("a removal that nobody confirms is not taken for done: who reads waits until the host has gone back", async () => {
  let now = 0;
  const double = await startDouble({ now: () => now });
  storedElsewhere(double);
  pendingElsewhere(double, "remove");
  const reading = openHost(double).snapshot();
  await eventually(() => expect(double.count("snapshot")).toBeGreaterThanOrEqual(3));
  now = 30_000;
  expect(tokensOf(await reading)).toEqual([token]);
});

test("a put that nobody confirms is not taken for made, and one that is confirmed meanwhile is", async () => {
  let now = 0;
  const double = await startDouble({ now: () => now });
  pendingElsewhere(double, "put");
  const reading = openHost(double).snapshot();
  await eventually(() => expect(double.count("snapshot")).toBeGreaterThanOrEqual(2));
  now = 30_000;
  expect(tokensOf(await reading)).toEqual([]);
  pendingElsewhere(double, "put");
  const second = openHost(double).snapshot();
  await eventually(() => expect(double.count("snapshot")).toBeGreaterThanOrEqual(4));
  double.xennet.run("confirm", double.xennet.pendingGeneration, "");
  const settled = await second;
  expect([tokensOf(settled), settled.pending]).toEqual([[token], undefined]);
});

test("once its time is over the host is told to go back, as its guard may be dead", async () => {
  let now = 0;
  const double = await startDouble({ now: () => now });
  storedElsewhere(double);
  pendingElsewhere(double, "remove");
  const reading = openHost(double).snapshot();
  await eventually(() => expect(double.count("snapshot")).toBeGreaterThanOrEqual(2));
  now = 30_000;
  await reading;
  expect(double.calls.slice(-2)).toEqual(["revert", "snapshot"]);
});

test("who reads during a change of this process gets the look that the change was answered with", async () => {
  const double = await startDouble();
  const reads: Array<Promise<{ fragments: ReadonlyArray<{ token: string }> }>> = [];
  const host = openHost(double, {
    confirmProbe: async () => {
      reads.push(host.snapshot(), host.snapshot(0));
    },
  });
  const change = put();
  await host.submit(change);
  expect((await Promise.all(reads)).map(tokensOf)).toEqual([[change.token], [change.token]]);
  expect(double.calls).toEqual(["transact", "confirm"]);
});

test("many who read while something is pending ask no more often than one", async () => {
  let now = 0;
  const double = await startDouble({ now: () => now });
  pendingElsewhere(double, "put");
  const host = openHost(double, { timing: { retryMs: 100 } });
  const reads = Array.from({ length: 50 }, () => host.snapshot());
  await eventually(() => expect(double.count("snapshot")).toBeGreaterThanOrEqual(2));
  reads.push(...Array.from({ length: 50 }, () => host.snapshot(0)));
  now = 30_000;
  expect((await Promise.all(reads)).map(tokensOf)).toEqual(reads.map(() => []));
  expect(double.count("snapshot")).toBeLessThanOrEqual(5);
});

test("a read waits as long as a change does for a host that is busy, then says why", async () => {
  const double = await startDouble();
  pendingElsewhere(double, "put", 300);
  const host = openHost(double, { timing: { busyMs: 100 } });
  // A generation ends by itself: that is waited for in any case, so these windows are made short by hand.
  double.faults.answer = () => ({ stdout: "error BUSY its lock is held\n", code: 75 });
  const since = performance.now();
  await expect(host.snapshot()).rejects.toMatchObject({ code: "BUSY" });
  expect(performance.now() - since).toBeGreaterThanOrEqual(100);
  await expect(host.submit(put())).rejects.toMatchObject({ code: "BUSY" });
});

test("however many resources ask one after the other, a busy host is waited for once", async () => {
  const double = await startDouble();
  const host = openHost(double, { timing: { busyMs: 300, retryMs: 50 } });
  double.faults.answer = () => ({ stdout: "error BUSY its lock is held\n", code: 75 });
  const since = performance.now();
  for (let n = 0; n < 20; n += 1) await expect(host.snapshot()).rejects.toMatchObject({ code: "BUSY" });
  for (let n = 0; n < 5; n += 1) await expect(host.submit(put())).rejects.toMatchObject({ code: "BUSY" });
  expect(performance.now() - since).toBeLessThan(900);
  expect([double.count("snapshot") <= 8, double.count("transact")]).toEqual([true, 5]);
  delete double.faults.answer;
  const change = put();
  await host.submit(change);
  expect(tokensOf(await host.snapshot())).toEqual([change.token]);
});

test("a lock that is let go in time is no error of a read", async () => {
  const double = await startDouble();
  double.faults.answer = (_command, count) =>
    count < 4 ? { stdout: "error BUSY its lock is held\n", code: 75 } : undefined;
  await openHost(double).snapshot();
  expect(double.count("snapshot")).toBe(4);
});

test("after 10 s a line says what is waited for, in reads and in changes, once in half a minute", async () => {
  for (const act of ["snapshot", "submit"] as const) {
    let now = 0;
    const double = await startDouble({ now: () => now });
    pendingElsewhere(double, "put", 60);
    const lines: string[] = [];
    const clock = {
      now: () => now,
      sleep: async () => {
        now += 500;
      },
    };
    const host = openHost(double, { clock, notice: (line) => lines.push(line) });
    await (act === "snapshot" ? host.snapshot() : host.submit(put()));
    const awaited = (seconds: number) =>
      expect.stringMatching(new RegExp(`127\\.0\\.0\\.1.*generation 1 .*confirmation.*${seconds} s`));
    expect(lines).toEqual([awaited(50), awaited(20)]);
  }
});

test("what a change leaves pending never enters what reads are served from", async () => {
  const double = await startDouble();
  double.faults.drop = (command) => (command === "revert" ? "before" : undefined);
  const host = openHost(double, {
    confirmProbe: () => Promise.reject(new Error("XAPI does not answer")),
    timing: { windowSeconds: 10, revertMs: 300, retryMs: 200 },
  });
  await expect(host.submit(put())).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
  delete double.faults.drop;
  expect(double.xennet.pendingGeneration).toBe(1);
  expect(tokensOf(await host.snapshot())).toEqual([]);
  expect(double.xennet.pendingGeneration).toBeUndefined();
});
