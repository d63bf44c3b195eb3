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
  const timing = { retryMs: 10, busyMs: 3000, confirmMs: 1000, revertMs: 500, ...options.timing };
  const host = new Dom0Host({ endpoint: double.ssh.endpoint, confirmProbe: async () => {}, ...options, timing });
  host.expectHost(HOST_UUID);
  cleanups.push(() => host.close());
  return host;
}

/** Drops the connection around the first run of one command. */
function dropFirst(double: Dom0Double, command: string, when: "before" | "after"): void {
  double.faults.drop = (called, count) => (called === command && count === 1 ? when : undefined);
}

function foreignTransaction(double: Dom0Double, window: number): void {
  const text = fragmentText("aaaaaaaaaaaa");
  double.xennet.transact(
    `xennet-transaction 1\nhost ${HOST_UUID}\nwindow ${window}\nput aaaaaaaaaaaa\n${text}commit\n`,
  );
}

test("when the other way in is gone, the change is taken back at once and every one of its operations fails", async () => {
  const double = await startDouble();
  const host = openHost(double, { confirmProbe: () => Promise.reject(new Error("XAPI does not answer")) });
  const results = await Promise.allSettled([host.submit(put()), host.submit(put())]);
  for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: { code: "NOT_CONFIRMED" } });
  const [first] = results as PromiseRejectedResult[];
  expect(String(first?.reason)).toMatch(/XAPI does not answer\. The host has gone back/);
  expect(double.calls).toEqual(["transact", "revert"]);
  expect(double.xennet.pendingGeneration).toBeUndefined();
  expect((await host.snapshot()).fragments).toEqual([]);
});

test("when the change cannot even be taken back, the error says that the host goes back by itself", async () => {
  const double = await startDouble();
  double.faults.drop = (command) => (command === "revert" ? "before" : undefined);
  const host = openHost(double, { confirmProbe: () => Promise.reject(new Error("XAPI does not answer")) });
  await expect(host.submit(put())).rejects.toThrow(/goes back by itself to what it was within (30|29) s/);
  expect(double.xennet.confirmedTokens).toEqual([]);
});

test("a login that was refused is not tried again", async () => {
  const double = await startDouble();
  double.ssh.refuseLogins = true;
  const host = openHost(double);
  await expect(host.snapshot()).rejects.toMatchObject({ code: "SSH_AUTH_FAILED" });
  const { connections } = double.ssh;
  await expect(host.snapshot()).rejects.toMatchObject({ code: "SSH_AUTH_FAILED" });
  await expect(host.submit(put())).rejects.toMatchObject({ code: "SSH_AUTH_FAILED" });
  expect(double.ssh.connections).toBe(connections);
});

test("a probe that never ends counts as failed", async () => {
  const double = await startDouble();
  const host = openHost(double, { confirmProbe: () => new Promise(() => {}), timing: { confirmMs: 100 } });
  await expect(host.submit(put())).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
  expect(double.count("revert")).toBe(1);
});

test("when no new login is possible, the change is taken back over the old connection", async () => {
  const double = await startDouble();
  const host = openHost(double);
  await host.snapshot();
  double.ssh.refuseLogins = true;
  await expect(host.submit(put())).rejects.toMatchObject({
    code: "NOT_CONFIRMED",
    cause: { code: "SSH_AUTH_FAILED" },
  });
  expect(double.calls).toEqual(["snapshot", "transact", "revert"]);
  expect(double.xennet.pendingGeneration).toBeUndefined();
});

test("another process's pending change is waited for", async () => {
  let now = 0;
  const double = await startDouble({ now: () => now });
  foreignTransaction(double, 30);
  const host = openHost(double);
  const change = put();
  const submitted = host.submit(change);
  await eventually(() => expect(double.count("transact")).toBeGreaterThanOrEqual(2));
  expect(double.count("confirm")).toBe(0);
  now = 30_000;
  await submitted;
  expect(double.xennet.confirmedTokens).toEqual([change.token]);
});

test("waiting for another process ends with an error that says so, a generation's end and 5 s later", async () => {
  const double = await startDouble({ now: () => 0 });
  foreignTransaction(double, 300);
  let now = 0;
  const sleep = async () => {
    now += 500;
  };
  const host = openHost(double, { clock: { now: () => now, sleep }, timing: { busyMs: 50 } });
  await expect(host.submit(put())).rejects.toMatchObject({ code: "PENDING" });
  expect(double.xennet.pendingGeneration).toBe(1);
  expect([305, 306]).toContain(Math.floor(now / 1000));
  await expect(host.snapshot()).rejects.toThrow(
    /generation 1 of another run awaits its confirmation.*back in 300 s\. Run the command again when that one has ended/,
  );
  // The next one tries once.
  expect([305, 306]).toContain(Math.floor(now / 1000));
});

test("a transaction whose connection broke before it ran is sent again", async () => {
  const double = await startDouble();
  dropFirst(double, "transact", "before");
  const host = openHost(double);
  const change = put();
  expect((await host.submit(change)).result).toBe("ok");
  expect(double.count("transact")).toBe(2);
  expect(double.xennet.confirmedTokens).toEqual([change.token]);
});

test("a transaction whose answer was lost is recognised and confirmed, not made again", async () => {
  const double = await startDouble();
  dropFirst(double, "transact", "after");
  const host = openHost(double);
  const changes = [put(), put()];
  const outcomes = await Promise.all(changes.map((change) => host.submit(change)));
  expect(outcomes.map(({ result }) => result)).toEqual(["ok", "ok"]);
  expect(double.calls).toEqual(["transact", "snapshot", "confirm"]);
});

test("a removal whose answer was lost is recognised by what the host held before", async () => {
  const double = await startDouble();
  const host = openHost(double);
  const [change, other] = [put(), put()];
  await Promise.all([host.submit(change), host.submit(other)]);
  double.faults.drop = (command, count) => (command === "transact" && count === 2 ? "after" : undefined);
  await host.submit({ op: "remove", token: change.token, incarnation: "0123456789abcdef" });
  expect(double.count("transact")).toBe(2);
  expect(double.xennet.confirmedTokens).toEqual([other.token]);
});

test("a pooled connection that was cut while nothing ran is replaced", async () => {
  const double = await startDouble();
  const host = openHost(double);
  for (let round = 0; round < 3; round += 1) {
    await host.submit(put());
    double.ssh.dropAll();
    await host.snapshot(0);
    double.ssh.dropAll();
  }
  expect(double.xennet.confirmedTokens).toHaveLength(3);
});

test("what the host refused in a lost transaction gets its own answer in the next", async () => {
  const double = await startDouble();
  dropFirst(double, "transact", "after");
  const host = openHost(double);
  const good = put();
  const bad = put({ extra: "rule 20 nat -A XENNET-PREROUTING --no-such-option" });
  const [first, second] = await Promise.allSettled([host.submit(good), host.submit(bad)]);
  expect(first.status).toBe("fulfilled");
  expect(second).toMatchObject({ status: "rejected", reason: { code: "RULE_REFUSED" } });
  expect(double.xennet.confirmedTokens).toEqual([good.token]);
});

test("a connection that breaks at every attempt ends in an error, not in a loop", async () => {
  const double = await startDouble();
  double.faults.drop = (command) => (command === "transact" ? "before" : undefined);
  const host = openHost(double);
  await expect(host.submit(put())).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
  expect(double.count("transact")).toBe(3);
});

test("where nobody can tell whether the change was made, the seconds are those that are left of the window", async () => {
  const double = await startDouble();
  let now = 0;
  double.faults.drop = (command) => (command === "transact" ? "after" : "before");
  double.faults.delay = async (command) => {
    if (command === "snapshot") now += 12_000;
  };
  const host = openHost(double, { clock: { now: () => now, sleep: async () => {} } });
  // The look that tells is taken twice.
  await expect(host.submit(put())).rejects.toThrow(
    /could not be confirmed: .*If the host made it, it goes back by itself to what it was within 6 s/,
  );
});

test("a confirmation whose answer was lost counts when the host heard it", async () => {
  const double = await startDouble();
  dropFirst(double, "confirm", "after");
  const host = openHost(double);
  const change = put();
  await host.submit(change);
  expect(double.calls).toEqual(["transact", "confirm", "snapshot"]);
  expect(double.xennet.confirmedTokens).toEqual([change.token]);
});

test("a confirmation that the host did not hear is sent again", async () => {
  const double = await startDouble();
  dropFirst(double, "confirm", "before");
  const host = openHost(double);
  const change = put();
  await host.submit(change);
  expect(double.calls).toEqual(["transact", "confirm", "snapshot", "confirm"]);
  expect(double.xennet.confirmedTokens).toEqual([change.token]);
});

test("after its deadline a confirmation that was lost is not sent again", async () => {
  const double = await startDouble();
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  double.faults.delay = (command) => (command === "confirm" ? arrived : Promise.resolve());
  double.faults.drop = (command) => (command === "revert" || command === "confirm" ? "before" : undefined);
  const host = openHost(double, { timing: { confirmMs: 1500 } });
  await expect(host.submit(put())).rejects.toThrow(/goes back by itself/);
  arrive();
  // Time in which whoever goes on asks the host, and confirms.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([double.count("confirm"), double.xennet.pendingGeneration]).toEqual([1, 1]);
});

test("a probe that is given up keeps its connection until it has logged out", async () => {
  const double = await startDouble();
  const open: number[] = [];
  const confirmProbe: Dom0HostOptions["confirmProbe"] = (_fresh, signal) =>
    new Promise((_resolve, reject) => {
      const loggedOut = () => {
        open.push(double.ssh.openConnections);
        reject(new Error("given up"));
      };
      signal.addEventListener("abort", () => setTimeout(loggedOut, 200));
    });
  const host = openHost(double, { confirmProbe, timing: { confirmMs: 1500 } });
  await expect(host.submit(put())).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
  expect(double.xennet.pendingGeneration).toBeUndefined();
  await eventually(() => expect(open).toEqual([2]));
  await eventually(() => expect(double.ssh.openConnections).toBe(1));
});

test("a failed transaction does not stop the next one", async () => {
  const double = await startDouble();
  let isBroken = true;
  const confirmProbe = () => (isBroken ? Promise.reject(new Error("XAPI does not answer")) : Promise.resolve());
  const host = openHost(double, { confirmProbe });
  await expect(host.submit(put())).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
  isBroken = false;
  const change = put();
  await host.submit(change);
  expect(double.xennet.confirmedTokens).toEqual([change.token]);
});

test("closing takes back what is not confirmed, rejects what waits, logs out and is done within 2 s", async () => {
  const double = await startDouble();
  const host = openHost(double, { confirmProbe: () => new Promise(() => {}), timing: { confirmMs: 30_000 } });
  const first = host.submit(put()).catch((error: unknown) => error);
  await eventually(() => expect(double.xennet.pendingGeneration).toBe(1));
  const second = host.submit(put()).catch((error: unknown) => error);
  const since = performance.now();
  await host.close();
  expect(performance.now() - since).toBeLessThan(2000);
  expect(await first).toMatchObject({ code: "NOT_CONFIRMED" });
  expect(await second).toMatchObject({ code: "HOST_CLOSED" });
  expect(double.xennet.pendingGeneration).toBeUndefined();
  await eventually(() => expect(double.ssh.openConnections).toBe(0));
  await expect(host.submit(put())).rejects.toMatchObject({ code: "HOST_CLOSED" });
  await expect(host.snapshot()).rejects.toMatchObject({ code: "HOST_CLOSED" });
});

test("closing does not wait for a host that hangs", async () => {
  const double = await startDouble();
  double.faults.delay = (command) => (command === "transact" ? new Promise(() => {}) : Promise.resolve());
  const host = openHost(double);
  const submitted = host.submit(put()).catch((error: unknown) => error);
  await eventually(() => expect(double.count("transact")).toBe(1));
  const since = performance.now();
  await host.close();
  expect(performance.now() - since).toBeLessThan(2100);
  expect(await submitted).toMatchObject({ code: "NOT_CONFIRMED" });
});

test("a host that cannot be reached is an error of each operation, and of the next one again", async () => {
  const double = await startDouble();
  const host = openHost(double);
  await double.ssh.stop();
  cleanups.splice(0);
  await expect(host.submit(put())).rejects.toMatchObject({ code: "SSH_UNREACHABLE" });
  await expect(host.snapshot()).rejects.toMatchObject({ code: "SSH_UNREACHABLE" });
});
