import { afterEach, expect, test } from "vitest";
import { Dom0Host } from "../../../provider/src/dom0/host.ts";
import { programText } from "../../../provider/src/dom0/program-text.ts";
import { Dom0Double } from "../../support/dom0-double/dom0-double.ts";
import { HOST_UUID, put } from "../../support/dom0-double/fragment.ts";

const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A host whose snapshots have a line more while there is something to say. */
async function start(said: (double: Dom0Double) => string | undefined) {
  const double = await Dom0Double.start({ installed: programText().version });
  double.faults.rewrite = (_command, stdout) => {
    const line = said(double);
    return line === undefined ? stdout : stdout.replace(/^end\n$(?![\s\S])/m, `${line}\nend\n`);
  };
  const timing = { retryMs: 10 };
  const host = new Dom0Host({ endpoint: double.ssh.endpoint, confirmProbe: async () => {}, timing });
  host.expectHost(HOST_UUID);
  cleanups.push(() => double.stop());
  cleanups.push(() => host.close());
  return { double, host };
}

test("a change whose run was killed on the way is sent back and made again, not confirmed as it is", async () => {
  const change = put();
  const isCut = (double: Dom0Double) => double.count("transact") < 2;
  const { double, host } = await start((of) => (isCut(of) ? `missing ${change.token} jump XENNET-FORWARD` : undefined));
  double.faults.drop = (command, count) => (command === "transact" && count === 1 ? "after" : undefined);
  const { result } = await host.submit(change);
  expect(result).toBe("ok");
  expect(double.calls).toEqual(["transact", "snapshot", "revert", "transact", "confirm"]);
});

test("nor is a removal of which rules are left", async () => {
  const [kept, gone] = [put(), put()];
  const rule = `-A XENNET-FORWARD -p tcp -m comment --comment xennet-${gone.token} -j ACCEPT`;
  const { double, host } = await start((of) => (of.count("transact") === 2 ? `live filter ${rule}` : undefined));
  await Promise.all([host.submit(kept), host.submit(gone)]);
  double.faults.drop = (command, count) => (command === "transact" && count === 2 ? "after" : undefined);
  const removal = { op: "remove", token: gone.token, incarnation: "0123456789abcdef" } as const;
  expect((await host.submit(removal)).result).toBe("ok");
  expect(double.calls.slice(-4)).toEqual(["snapshot", "revert", "transact", "confirm"]);
});

test("an ok to a removal is not believed while a rule of it is in force", async () => {
  const change = put();
  const rule = `-A XENNET-FORWARD -m comment --comment xennet-${change.token} -j ACCEPT`;
  const { host } = await start((of) => (of.count("transact") > 1 ? `live filter ${rule}` : undefined));
  await Promise.all([host.submit(change), host.submit(put())]);
  const removal = { op: "remove", token: change.token, incarnation: "0123456789abcdef" } as const;
  await expect(host.submit(removal)).rejects.toThrow(
    /expected it to be gone, found rule filter -A XENNET-FORWARD .* still in force/,
  );
});

test.each(["/etc/xennet", "/usr/local/sbin/xennet"])(
  "who looks ends a removal that was cut short and left %s",
  async (path) => {
    const { double, host } = await start((of) => (of.count("revert") === 0 ? `file ${path}` : undefined));
    expect((await host.snapshot()).files).toEqual([]);
    expect(double.calls).toEqual(["snapshot", "revert", "snapshot"]);
  },
);

test("where somebody else is at work meanwhile, the next look tells", async () => {
  const { double, host } = await start((of) => (of.count("snapshot") === 1 ? "file /etc/xennet" : undefined));
  double.faults.answer = (command) =>
    command === "revert" ? { stdout: "error BUSY another run of xennet holds the lock\n", code: 75 } : undefined;
  expect((await host.snapshot()).files).toEqual([]);
  expect(double.calls).toEqual(["snapshot", "revert", "snapshot"]);
});

test("what is declared, and files that only lie in the way of ours, are no such removal", async () => {
  const { double, host } = await start((of) =>
    of.count("transact") === 0 ? "file /etc/cron.d/xennet" : "file /etc/xennet",
  );
  await host.snapshot();
  await host.submit(put());
  await host.snapshot();
  expect(double.count("revert")).toBe(0);
});
