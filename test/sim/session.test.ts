import { expect, test } from "vitest";
import { connect, password, simulate, xmlCall } from "./fixtures.ts";

test("a login opens one session and a logout closes it", async () => {
  const simulator = await simulate();
  const { session, call } = await connect(simulator);
  expect(simulator.openSessions()).toBe(1);
  await call("session.logout");
  expect(simulator.openSessions()).toBe(0);
  await expect(call("pool.get_all")).rejects.toThrow(`SESSION_INVALID ${session}`);
});

test("a login takes version and originator and refuses a fifth parameter", async () => {
  const simulator = await simulate();
  const login = (...more: string[]) =>
    xmlCall<string>(simulator, "session.login_with_password", "root", password, ...more);
  const session = await login("2.21", "pulumi-xennet");
  expect(await xmlCall(simulator, "session.get_originator", session, session)).toBe("pulumi-xennet");
  await expect(login("2.21", "pulumi-xennet", "more")).rejects.toThrow("MESSAGE_PARAMETER_COUNT_MISMATCH");
});

test("a wrong password is refused after the delay, naming the user and never the password", async () => {
  const simulator = await simulate({ authDelayMs: 150 });
  const before = performance.now();
  const refused = xmlCall(simulator, "session.login_with_password", "root", "wrong guess");
  const error = await refused.then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error?.message).toMatch(/^SESSION_AUTHENTICATION_FAILED root /);
  expect(error?.message).not.toContain("wrong guess");
  expect(performance.now() - before).toBeGreaterThanOrEqual(149);
  expect(simulator.openSessions()).toBe(0);
});

test("a toolstack restart ends sessions and starts the names of bridges again, and guests run on", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  const bridgeOf = async (network: string) => simulator.admin.call("network.get_bridge", network);
  const first = await call<string>("network.create", { other_config: {} });
  const second = await call<string>("network.create", { other_config: {} });
  await call("network.destroy", first);
  const [vm = ""] = await call<string[]>("VM.get_by_name_label", "Fedora server 1");
  await call("VM.start", vm, false, false);
  await simulator.restart();
  await expect(call("pool.get_all")).rejects.toThrow("SESSION_INVALID");
  const again = await connect(simulator);
  expect(await again.call("VM.get_power_state", vm)).toBe("Running");
  const third = await again.call<string>("network.create", { other_config: {} });
  expect([await bridgeOf(second), await bridgeOf(third)]).toEqual(["xapi1", "xapi0"]);
});

test("a host reboot leaves no guest running and no VIF attached", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  const [vm = ""] = await call<string[]>("VM.get_by_name_label", "Fedora server 1");
  await call("VM.start", vm, false, false);
  await simulator.hostRebooted();
  const again = await connect(simulator);
  expect(await again.call("VM.get_record", vm)).toMatchObject({ power_state: "Halted", domid: "-1" });
  const vifs = await again.call<Record<string, { currently_attached: boolean }>>("VIF.get_all_records");
  expect(Object.values(vifs).map((vif) => vif.currently_attached)).toEqual([false, false]);
});

test("pool and host have the UUIDs that were asked for", async () => {
  const uuids = { pool: "11111111-0000-4000-8000-000000000001", host: "11111111-0000-4000-8000-000000000002" };
  const controlDomain = "11111111-0000-4000-8000-000000000003";
  const simulator = await simulate({ uuids: { ...uuids, controlDomain } });
  const { call } = await connect(simulator);
  expect({ pool: simulator.poolUuid, host: simulator.hostUuid }).toEqual(uuids);
  const host = await call<string>("host.get_by_uuid", uuids.host);
  expect(await call("VM.get_uuid", await call<string>("host.get_control_domain", host))).toBe(controlDomain);
});
