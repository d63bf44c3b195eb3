import { expect, onTestFinished, test } from "vitest";
import { Claims } from "../../../provider/src/hosts/claims.ts";
import { Host } from "../../../provider/src/hosts/host.ts";
import type { HostProfile } from "../../../provider/src/hosts/profile.ts";
import { type Simulator, startSimulator } from "../../sim/simulator.ts";
import { Dom0Double } from "../../support/dom0-double/dom0-double.ts";
import { HOST_UUID, put } from "../../support/dom0-double/fragment.ts";
import { eventually } from "../../support/eventually.ts";

const password = "correct horse";

interface Ways {
  /** Tells which SSH connections may be used to reach XAPI. */
  readonly mayForward?: (connection: number) => boolean;
  /** Where dom0 finds other addresses than its loopback. */
  readonly others?: Readonly<Record<string, Simulator>>;
}

async function simulate(uuids: { host: string; pool?: string }): Promise<Simulator> {
  const simulator = await startSimulator({ password, uuids });
  onTestFinished(() => simulator.close());
  return simulator;
}

/** A host whose XAPI listens nowhere but on dom0's loopback. */
async function hostBehindSsh({ mayForward = () => true, others = {} }: Ways = {}) {
  const simulator = await simulate({ host: HOST_UUID });
  const onForward = (address: string, port: number, connection: number) => {
    if (port !== 443 || !mayForward(connection)) return undefined;
    return address === "127.0.0.1" ? simulator.port : others[address]?.port;
  };
  const double = await Dom0Double.start({ installed: 1, onForward });
  const warnings: string[] = [];
  const profile: HostProfile = {
    name: "default",
    xapi: { url: "https://127.0.0.1", username: "root", password },
    xapiVia: "ssh",
    ssh: double.ssh.endpoint,
    ownerPrefix: undefined,
  };
  const surroundings = {
    claims: new Claims(),
    seenIds: new Set<string>(),
    warn: (text: string) => warnings.push(text),
  };
  const host = new Host(profile, surroundings);
  onTestFinished(async () => {
    await host.close();
    await double.stop();
  });
  return { simulator, double, host, warnings };
}

const logins = (simulator: Simulator) => simulator.countCalls("session.login_with_password");

test("XAPI and scripts take one SSH login; the confirmation takes a new one, for XAPI as well", async () => {
  const { simulator, double, host } = await hostBehindSsh();
  expect(await host.hostUuid()).toBe(HOST_UUID);
  await Promise.all([host.poolView(), host.dom0.snapshot()]);
  expect(host.dom0.counters.logins).toBe(1);
  expect(logins(simulator)).toBe(1);
  expect((await host.dom0.submit(put())).result).toBe("ok");
  expect(host.dom0.counters.logins).toBe(2);
  expect(double.ssh.connections).toBe(2);
  expect(logins(simulator)).toBe(2);
});

test("a change is not confirmed when a new SSH connection no longer leads to XAPI, whatever the old one still does", async () => {
  const { double, host } = await hostBehindSsh({ mayForward: (connection) => connection === 1 });
  await host.hostUuid();
  const change = host.dom0.submit(put());
  await expect(change).rejects.toMatchObject({ code: "NOT_CONFIRMED", cause: { code: "XAPI_UNREACHABLE" } });
  expect(double.xennet.confirmedTokens).toEqual([]);
  host.poolChanged();
  expect((await host.poolView()).networks.length).toBeGreaterThan(0);
});

test("closing gives the XAPI session back through SSH before it logs out there", async () => {
  const { simulator, double, host, warnings } = await hostBehindSsh();
  await host.identity();
  expect(simulator.openSessions()).toBe(1);
  const since = performance.now();
  await host.close();
  expect(performance.now() - since).toBeLessThan(2500);
  expect(simulator.openSessions()).toBe(0);
  expect(warnings).toEqual([]);
  await eventually(() => expect(double.ssh.openConnections).toBe(0));
});

test("without a word from anybody both sessions end by themselves, within 8 s", async () => {
  const { simulator, double, host } = await hostBehindSsh();
  await Promise.all([host.identity(), host.poolView()]);
  await eventually(() => {
    expect(simulator.openSessions()).toBe(0);
    expect(double.ssh.openConnections).toBe(0);
  }, 8000);
});

test("a connection which XAPI closes while it is idle is not used again", async () => {
  const { simulator, double, host } = await hostBehindSsh();
  await host.poolView();
  await simulator.restart();
  await eventually(() => expect(double.ssh.forwarded.size).toBe(0));
  await host.xapi.call("task.create", "a writing call", "");
  expect(double.ssh.connections).toBe(1);
});

test("an SSH connection that is cut costs a reading call nothing", async () => {
  const { simulator, double, host } = await hostBehindSsh();
  await host.poolView();
  double.ssh.dropAll();
  host.poolChanged();
  expect((await host.poolView()).networks.length).toBeGreaterThan(0);
  expect(logins(simulator)).toBe(1);
  expect(host.dom0.counters.logins).toBe(2);
});

test("a member's dom0 reaches the master, and the member itself once that has become the master", async () => {
  const master = await simulate({ host: HOST_UUID });
  const { simulator: member, double, host } = await hostBehindSsh({ others: { "192.0.2.8": master } });
  member.faults.slaveOf("192.0.2.8", master.fingerprint);
  expect((await host.identity()).poolUuid).toBe(master.poolUuid);
  expect(await host.hostUuid()).toBe(HOST_UUID);
  await host.xapi.call("task.create", "a writing call", "");

  member.faults.slaveOf(undefined);
  master.faults.slaveOf("192.0.2.7", member.fingerprint);
  await master.restart();
  await eventually(() => expect(double.ssh.forwarded.size).toBe(0));
  await host.xapi.call("task.create", "a writing call", "");
  expect([master.countCalls("task.create"), member.countCalls("task.create")]).toEqual([1, 1]);
  expect(host.dom0.counters.logins).toBe(1);
});

test("a dom0 that is none of the pool's hosts is refused", async () => {
  const master = await simulate({ host: "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f" });
  const { simulator: member, host } = await hostBehindSsh({ others: { "192.0.2.8": master } });
  member.faults.slaveOf("192.0.2.8", master.fingerprint);
  await expect(host.hostUuid()).rejects.toMatchObject({ code: "HOST_MISMATCH" });
});
