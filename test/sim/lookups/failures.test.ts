import { expect, test } from "vitest";
import { getXenHost } from "../../../provider/src/lookups/xen-host.ts";
import { getXenNetwork } from "../../../provider/src/lookups/xen-network.ts";
import { getXenPif } from "../../../provider/src/lookups/xen-pif.ts";
import { listXenVifs } from "../../../provider/src/lookups/xen-vifs.ts";
import { getXenVm } from "../../../provider/src/lookups/xen-vm.ts";
import { poolWithProfile } from "./pool.ts";

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: Error) => reason,
  );
  // RunError: the SDK shows it without a stack trace.
  expect(error).toHaveProperty("__pulumiRunError", true);
  return error?.message ?? "";
}

test("a name that nothing has lists the candidates; templates and dom0 are none", async () => {
  const { host } = await poolWithProfile();
  const message = await messageOf(getXenVm({ host, nameLabel: "Fedora server 9" }));
  expect(message.replace(/[0-9a-f-]{36}/g, "<uuid>")).toMatchInlineSnapshot(
    `"getXenVm: nameLabel: expected the name label of a VM, found no VM for "Fedora server 9". The pool has: "Fedora server 1" (<uuid>), "Fedora server 2" (<uuid>) (REFERENCE_UNKNOWN)"`,
  );
  expect(await messageOf(getXenVm({ host, nameLabel: "Other install media" }))).toContain("REFERENCE_UNKNOWN");
});

test("a name that several have lists just those", async () => {
  const { host, ...pool } = await poolWithProfile();
  await pool.makeNetwork("twice", "11111111-aaaa-4bbb-8ccc-dddddddddddd");
  await pool.makeNetwork("twice", "11112222-aaaa-4bbb-8ccc-dddddddddddd");
  await pool.makeNetwork("once", "11113333-aaaa-4bbb-8ccc-dddddddddddd");
  expect(await messageOf(getXenNetwork({ host, nameLabel: "twice" }))).toMatchInlineSnapshot(
    `"getXenNetwork: nameLabel: expected one network, found 2 named "twice": "twice" (11111111-aaaa-4bbb-8ccc-dddddddddddd), "twice" (11112222-aaaa-4bbb-8ccc-dddddddddddd). Give the UUID instead (REFERENCE_AMBIGUOUS)"`,
  );
  expect(await messageOf(getXenNetwork({ host, uuid: "1111" }))).toMatchInlineSnapshot(
    `"getXenNetwork: uuid: expected one network, found 3 whose UUID begins with "1111": "once" (11113333-aaaa-4bbb-8ccc-dddddddddddd), "twice" (11111111-aaaa-4bbb-8ccc-dddddddddddd), "twice" (11112222-aaaa-4bbb-8ccc-dddddddddddd). Give more of the UUID instead (REFERENCE_AMBIGUOUS)"`,
  );
  expect(await getXenNetwork({ host, uuid: "11113" })).toMatchObject({ nameLabel: "once" });
});

test("a name label goes before the beginning of a UUID", async () => {
  const { host, admin, ...pool } = await poolWithProfile();
  const network = await pool.makeNetwork("deadbeef");
  await pool.makeNetwork("other", "deadbeef-aaaa-4bbb-8ccc-dddddddddddd");
  const vm = await pool.vm("Fedora server 1");
  await pool.makeVif(vm, network, "1");
  const [row, ...others] = await listXenVifs({ host, network: "deadbeef" });
  expect(others).toEqual([]);
  expect(row).toMatchObject({ networkNameLabel: "deadbeef", device: "1" });
  expect(await listXenVifs({ host, network: "deadbeef-aaaa" })).toEqual([]);
  // Eight characters are asked for where a name could be meant.
  expect(await messageOf(listXenVifs({ host, network: "deadbee" }))).toContain('found no network for "deadbee"');
});

test.each([
  ["a UUID of less than four characters", { uuid: "abc" }, /uuid: expected the UUID, or at least its first 4 char/],
  ["both ways to name it", { uuid: "abcd", nameLabel: "x" }, /uuid: expected either uuid or nameLabel, found both/],
  ["no way to name it", {}, /nameLabel: expected nameLabel or uuid, found neither \(ARGUMENT_INVALID\)$/],
  ["an empty name", { nameLabel: "" }, /nameLabel: expected a text of at least 1 character\(s\), found ""/],
  ["an argument nobody knows", { namelabel: "x" }, /namelabel: unknown argument; known are host, nameLabel, uuid/],
])("refuses %s", async (_what, given, expected) => {
  const { host } = await poolWithProfile();
  expect(await messageOf(getXenVm({ host, ...given }))).toMatch(expected);
});

test.each([
  [{}, /device: expected device or uuid, found neither/],
  [{ uuid: "abcd", device: "eth0" }, /uuid: expected uuid alone/],
  [{ device: "eth0", vlan: 4095 }, /vlan: expected a VLAN tag, an integer from 0 to 4094, or -1 for none, found 4095/],
  [{ device: "eth7" }, /device: expected the device of a PIF, found no PIF for "eth7".*"eth0 on xenserver-lab" \(/],
  [{ device: "eth0", vlan: 5 }, /found no PIF for "eth0, VLAN 5"/],
  [{ device: "eth0", onHost: "elsewhere" }, /onHost: expected the UUID or name label of a host.*"xenserver-lab"/],
])("refuses the PIF %j", async (given, expected) => {
  const { host } = await poolWithProfile();
  expect(await messageOf(getXenPif({ host, ...given }))).toMatch(expected);
});

test("wrong arguments are refused before anything is asked of the host", async () => {
  const { host, logins } = await poolWithProfile();
  await messageOf(getXenVm({ host }));
  expect(logins()).toBe(0);
});

test("a wrong password is tried once, whatever number of look-ups want it", async () => {
  const { simulator, host, logins } = await poolWithProfile({ password: "wrong" });
  const both = [getXenHost({ host }), listXenVifs({ host })];
  for (const message of await Promise.all(both.map(messageOf))) expect(message).toContain("(XAPI_AUTH_FAILED)");
  expect(await messageOf(getXenHost({ host }))).toContain("(XAPI_AUTH_FAILED)");
  expect([logins(), simulator.openSessions()]).toEqual([1, 0]);
});

test("a call that fails leaves no session behind", async () => {
  const { simulator, host } = await poolWithProfile();
  simulator.faults.fail("PIF.get_all_records", "INTERNAL_ERROR", ["broken"]);
  expect(await messageOf(getXenHost({ host }))).toMatch(/getXenHost: PIF.get_all_records failed.*\(XAPI_FAILURE\)$/);
  expect(simulator.openSessions()).toBe(0);
});

test("an unknown profile is told as for resources", async () => {
  const message = await messageOf(getXenHost({ host: "nowhere" }));
  expect(message).toMatch(/host profile "nowhere" cannot be used.*pulumi config set.*\(CONFIG_INVALID\)$/s);
});
