import { afterEach, expect, test } from "vitest";
import { Dom0Host } from "../../../provider/src/dom0/host.ts";
import { programText } from "../../../provider/src/dom0/program-text.ts";
import { Dom0Double } from "../../support/dom0-double/dom0-double.ts";
import { HOST_UUID, put } from "../../support/dom0-double/fragment.ts";

const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A host whose snapshots are changed on their way, from the n-th answer that carries one on. */
async function start(edit: (snapshot: string, answers: number) => string) {
  const double = await Dom0Double.start({ installed: programText().version });
  let answers = 0;
  double.faults.rewrite = (_command, stdout) => {
    const at = stdout.indexOf("xennet-snapshot 1\n");
    if (at < 0) return stdout;
    answers += 1;
    return stdout.slice(0, at) + edit(stdout.slice(at), answers);
  };
  const host = new Dom0Host({
    ...{ endpoint: double.ssh.endpoint, confirmProbe: async () => {} },
    timing: { retryMs: 10 },
  });
  host.expectHost(HOST_UUID);
  cleanups.push(() => double.stop());
  cleanups.push(() => host.close());
  return { double, host };
}

const lacking = (token: string, what: string) => (snapshot: string) =>
  snapshot.replace(/end\n$/, `missing ${token} ${what}\nend\n`);

test("an ok to a put is not believed when the look that follows does not show it", async () => {
  const { host } = await start((snapshot) => snapshot.replace(/^fragment [\s\S]*?^end\n/m, ""));
  const change = put();
  await expect(host.submit(change)).rejects.toMatchObject({
    code: "CHANGE_NOT_SEEN",
    message: expect.stringContaining("expected its declaration, found none"),
  });
});

test("nor when it shows another text", async () => {
  const { host } = await start((snapshot) => snapshot.replace("name web", "name other"));
  await expect(host.submit(put())).rejects.toThrow(/expected its declaration as it was sent, found another text/);
});

test("nor when something of it is missing, and stays so for as long as the host heals", async () => {
  const change = put();
  const { host, double } = await start(lacking(change.token, "address 192.168.100.1/24"));
  await expect(host.submit(change)).rejects.toThrow(/found missing: address 192\.168\.100\.1\/24/);
  expect(double.count("snapshot")).toBe(11);
});

test("what the host heals meanwhile is no failure, nor are hooks and cron, which are told as drift", async () => {
  const [change, other] = [put(), put()];
  const { host } = await start((snapshot, answers) => {
    const hooks = lacking(
      other.token,
      "hook /etc/cron.d/xennet",
    )(lacking(other.token, "cron is not running")(snapshot));
    return answers > 3 ? hooks : lacking(change.token, "jump XENNET-FORWARD")(hooks);
  });
  const outcomes = await Promise.all([host.submit(change), host.submit(other)]);
  expect(outcomes.map(({ result }) => result)).toEqual(["ok", "ok"]);
  expect(outcomes[0]?.snapshot.missing.map(({ token }) => token)).toEqual([other.token, other.token]);
});

test.each(["ok", "absent"])("nor is an answer %s to a removal while the declaration is there", async (answer) => {
  const { host, double } = await start((snapshot) => snapshot);
  const change = put();
  const { snapshot } = await host.submit(change);
  const kept = double.xennet.run("snapshot", undefined, "").stdout;
  double.faults.answer = (command) =>
    command === "transact" ? { stdout: `outcome ${change.token} ${answer}\nunchanged\n${kept}`, code: 0 } : undefined;
  const removal = { op: "remove", token: change.token, incarnation: "0123456789abcdef" } as const;
  await expect(host.submit(removal)).rejects.toThrow(/expected it to be gone, found it still declared/);
  expect(snapshot.fragments).toHaveLength(1);
});
