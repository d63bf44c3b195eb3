import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler as handler } from "../../../provider/src/handlers/network/xen-network.ts";
import { OneResourceStack } from "../lifecycle/one-resource-stack.ts";
import { poolRecords } from "../lifecycle/pool-records.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";

const owner = urnOf("XenNetwork", "internal");
const given = { owner, nameLabel: "Internal network" };
const physical = "Pool-wide network associated with eth0";

/** The message without identities that differ from run to run. */
async function messageOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error("nothing failed"),
    (reason: Error & { code?: string }) => reason,
  );
  const code = "code" in error ? ` (${error.code})` : "";
  return plain(error.message) + code;
}

function plain(text: string): string {
  return text
    .replaceAll(/OpaqueRef:[0-9a-f-]{36}/g, "<ref>")
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "<mac>");
}

/** What a preview says: failures of the check, or the error of the diff. */
async function previewOf(pool: PoolUnderTest, declared: Props): Promise<string[]> {
  const { failures } = await handler.check(pool.newProcess(), {}, declared);
  return failures.map(({ property, reason }) => `${property}: ${plain(reason)}`);
}

const refOf = (pool: PoolUnderTest, uuid: string) => pool.simulator.admin.call<string>("network.get_by_uuid", uuid);

async function putVif(pool: PoolUnderTest, network: string, vm = "Fedora server 1", otherConfig = {}): Promise<string> {
  const place = { device: "3", network, VM: await pool.vmNamed(vm), MAC: "", MTU: 1500, other_config: otherConfig };
  return pool.simulator.admin.call("VIF.create", { ...place, qos_algorithm_type: "", qos_algorithm_params: {} });
}

/** A network of ours, and a VIF of somebody else on it, plugged into a running VM. */
async function usedNetwork(declared: Props = {}) {
  const pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  await stack.up({ ...given, ...declared });
  const network = await refOf(pool, stack.uuid);
  const vif = await putVif(pool, network);
  await pool.simulator.admin.call("VM.start", await pool.vmNamed("Fedora server 1"), false, false);
  return { pool, stack, network, vif, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
}

const common: ReadonlyArray<readonly [code: string, ...params: string[]]> = [
  ["RBAC_PERMISSION_DENIED", "network.create", "No permission"],
  ["OTHER_OPERATION_IN_PROGRESS", "network", "OpaqueRef:x", "attaching"],
  ["INTERNAL_ERROR", "Not_found"],
  ["LICENCE_RESTRICTION", "Networking"],
  ["HOST_STILL_BOOTING"],
  ["MESSAGE_METHOD_UNKNOWN", "network.create"],
  ["MESSAGE_PARAMETER_COUNT_MISMATCH", "network.create", "1", "2"],
  ["INVALID_VALUE", "bridge", "xapi7"],
  ["BRIDGE_NAME_EXISTS", "lan7"],
  ["TASK_CANCELLED", "OpaqueRef:x"],
  ["SOMETHING_NEW", "a", "b"],
];

test("what XAPI may answer to network.create reads like this", async () => {
  await using pool = await startPool();
  const messages: string[] = [];
  for (const [code, ...params] of common) {
    pool.simulator.faults.fail("network.create", code, params);
    messages.push(await messageOf(handler.create(pool.newProcess(), given)));
  }
  expect(messages).toMatchInlineSnapshot(`
    [
      "network.create failed: the user's role does not include "network.create"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.create failed: another operation (attaching) is running on the network OpaqueRef:x; try again when it has ended (OTHER_OPERATION_IN_PROGRESS) (XAPI_FAILURE)",
      "network.create failed: the host reports an internal error: Not_found (INTERNAL_ERROR) (XAPI_FAILURE)",
      "network.create failed: the host's licence does not include "Networking" (LICENCE_RESTRICTION) (XAPI_FAILURE)",
      "network.create failed: the host is still starting; try again when it is up (HOST_STILL_BOOTING) (XAPI_FAILURE)",
      "network.create failed: the host does not know the call network.create; its version may be too old (MESSAGE_METHOD_UNKNOWN) (XAPI_FAILURE)",
      "network.create failed: network.create, 1, 2 (MESSAGE_PARAMETER_COUNT_MISMATCH) (XAPI_FAILURE)",
      "network.create failed: "xapi7" is not accepted for "bridge" (INVALID_VALUE) (XAPI_FAILURE)",
      "network.create failed: the bridge name "lan7" is taken by another network (BRIDGE_NAME_EXISTS) (XAPI_FAILURE)",
      "network.create failed: the task was cancelled (TASK_CANCELLED) (XAPI_FAILURE)",
      "network.create failed: a, b (SOMETHING_NEW) (XAPI_FAILURE)",
    ]
  `);
});

const setters: ReadonlyArray<readonly [call: string, to: Props]> = [
  ["network.set_name_label", { nameLabel: "Renamed" }],
  ["network.set_name_description", { nameDescription: "New" }],
  ["network.set_MTU", { mtu: 9000 }],
  ["network.set_tags", { tags: ["web"] }],
  ["network.set_default_locking_mode", { defaultLockingMode: "disabled" }],
  ["network.remove_from_other_config", { automatic: true }],
  ["network.add_to_other_config", { automatic: true }],
];

test("a setter that is refused, or meets a network that is gone, fails the update; the next up finishes it", async () => {
  await using pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  await stack.up(given);
  const messages: string[] = [];
  let declared: Props = given;
  for (const [call, to] of setters) {
    declared = { ...declared, ...to, ...(call === "network.add_to_other_config" ? { automatic: false } : {}) };
    for (const failure of [
      ["RBAC_PERMISSION_DENIED", call],
      ["HANDLE_INVALID", "network", "OpaqueRef:x"],
    ] as const) {
      const [code, ...params] = failure;
      pool.simulator.faults.fail(call, code, params);
      messages.push(await messageOf(stack.up(declared)));
    }
    expect(await stack.up(declared)).toBe("updated");
    expect(await stack.up(declared)).toBe("same");
  }
  expect(messages).toMatchInlineSnapshot(`
    [
      "network.set_name_label failed: the user's role does not include "network.set_name_label"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.set_name_label failed: there is no network with the reference OpaqueRef:x (any more) (HANDLE_INVALID) (XAPI_FAILURE)",
      "network.set_name_description failed: the user's role does not include "network.set_name_description"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.set_name_description failed: there is no network with the reference OpaqueRef:x (any more) (HANDLE_INVALID) (XAPI_FAILURE)",
      "network.set_MTU failed: the user's role does not include "network.set_MTU"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.set_MTU failed: there is no network with the reference OpaqueRef:x (any more) (HANDLE_INVALID) (XAPI_FAILURE)",
      "network.set_tags failed: the user's role does not include "network.set_tags"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.set_tags failed: there is no network with the reference OpaqueRef:x (any more) (HANDLE_INVALID) (XAPI_FAILURE)",
      "network.set_default_locking_mode failed: the user's role does not include "network.set_default_locking_mode"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.set_default_locking_mode failed: there is no network with the reference OpaqueRef:x (any more) (HANDLE_INVALID) (XAPI_FAILURE)",
      "network.remove_from_other_config failed: the user's role does not include "network.remove_from_other_config"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.remove_from_other_config failed: there is no network with the reference OpaqueRef:x (any more) (HANDLE_INVALID) (XAPI_FAILURE)",
      "network.add_to_other_config failed: the user's role does not include "network.add_to_other_config"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.add_to_other_config failed: there is no network with the reference OpaqueRef:x (any more) (HANDLE_INVALID) (XAPI_FAILURE)",
    ]
  `);
});

test("a network.destroy that is refused leaves the resource in the state; one that is gone already is destroyed", async () => {
  await using pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  await stack.up(given);
  const messages: string[] = [];
  const refusals = [
    ["RBAC_PERMISSION_DENIED", "network.destroy"],
    ["NETWORK_CONTAINS_VIF", "OpaqueRef:x"],
    ["NETWORK_CONTAINS_PIF", "OpaqueRef:x"],
    ["CANNOT_DESTROY_SYSTEM_NETWORK", "OpaqueRef:x"],
  ] as const;
  for (const [code, ...params] of refusals) {
    pool.simulator.faults.fail("network.destroy", code, params);
    messages.push(await messageOf(stack.destroy()));
  }
  expect(messages).toMatchInlineSnapshot(`
    [
      "network.destroy failed: the user's role does not include "network.destroy"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.destroy failed: VIFs of the network are still plugged (OpaqueRef:x); unplug them first (NETWORK_CONTAINS_VIF) (XAPI_FAILURE)",
      "network.destroy failed: the network belongs to host interfaces (OpaqueRef:x) (NETWORK_CONTAINS_PIF) (XAPI_FAILURE)",
      "network.destroy failed: the network belongs to the host itself (CANNOT_DESTROY_SYSTEM_NETWORK) (XAPI_FAILURE)",
    ]
  `);
  pool.simulator.faults.fail("network.destroy", "HANDLE_INVALID", ["network", "OpaqueRef:x"]);
  await stack.destroy();
  expect(stack.state).toBeUndefined();
});

test("a VIF that is plugged between the look and the call is XAPI's to refuse", async () => {
  await using pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  await stack.up(given);
  pool.simulator.faults.fail("network.set_default_locking_mode", "VIF_IN_USE", ["OpaqueRef:n", "OpaqueRef:v"]);
  expect(await messageOf(stack.up({ ...given, defaultLockingMode: "disabled" }))).toMatchInlineSnapshot(
    `"network.set_default_locking_mode failed: the VIF OpaqueRef:v of the network OpaqueRef:n is in use (VIF_IN_USE) (XAPI_FAILURE)"`,
  );
  expect(await stack.up({ ...given, defaultLockingMode: "disabled" })).toBe("updated");
});

test("a failed adoption keeps the former values, and the next up or destroy goes on from them", async () => {
  await using pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  const before = await poolRecords(pool);
  const adopted = { owner, adopt: { nameLabel: physical }, nameLabel: "Network 0" };
  const messages: string[] = [];
  for (const call of ["network.set_other_config", "network.set_name_label"]) {
    pool.simulator.faults.fail(call, "RBAC_PERMISSION_DENIED", [call]);
    messages.push(await messageOf(stack.up(adopted)));
  }
  expect(messages).toMatchInlineSnapshot(`
    [
      "network.set_other_config failed: the user's role does not include "network.set_other_config"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
      "network.set_name_label failed: the user's role does not include "network.set_name_label"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)",
    ]
  `);
  await stack.destroy();
  expect(await poolRecords(pool)).toEqual(before);
});

test("refuses what no network can have, before anything is asked of the host", async () => {
  await using pool = await startPool();
  const declarations: Props[] = [
    {},
    { nameLabel: null },
    { nameLabel: "" },
    { nameLabel: "x", nameDescription: null },
    ...[67, 65536, "1500", null].map((mtu) => ({ nameLabel: "x", mtu })),
    ...[null, "web", [""], ["a", "b", "a"]].map((tags) => ({ nameLabel: "x", tags })),
    ...[null, [], { "": "1" }, { a: null }].map((otherConfig) => ({ nameLabel: "x", otherConfig })),
    ...["automatic", "ip_begin", "ip_end", "netmask", "xennet:owner"].map((key) => ({
      nameLabel: "x",
      otherConfig: { [key]: "1" },
    })),
    ...["is_guest_installer_network", "is_host_internal_management_network"].map((key) => ({
      nameLabel: "x",
      otherConfig: { [key]: "true" },
    })),
    ...["yes", null].map((automatic) => ({ nameLabel: "x", automatic })),
    ...["locked", "", null].map((defaultLockingMode) => ({ nameLabel: "x", defaultLockingMode })),
    ...["", "a-name-of-16-char", "xapi7", "eth0", "tap", "a b", "lan/7", null].map((bridge) => ({
      nameLabel: "x",
      bridge,
    })),
    { nameLabel: "x", forceDestroy: "yes" },
    ...[false, null, "Network 0", {}, { uuid: "1" }, { nameLabel: "" }, { uuid: "1", nameLabel: "x" }].map((adopt) => ({
      nameLabel: "x",
      adopt,
    })),
    { adopt: true },
    { nameLabel: "x", adopt: true, bridge: "lan7", forceDestroy: false },
  ];
  const refused = [];
  for (const declared of declarations) {
    const failures = await previewOf(pool, { owner, ...declared });
    refused.push(`${JSON.stringify(declared)} → ${failures.join("; ")}`);
  }
  expect(refused).toMatchInlineSnapshot(`
    [
      "{} → nameLabel: a value is required, found nothing",
      "{"nameLabel":null} → nameLabel: a value is required, found nothing",
      "{"nameLabel":""} → nameLabel: expected a text of at least 1 character(s), found """,
      "{"nameLabel":"x","nameDescription":null} → nameDescription: expected a text, found null",
      "{"nameLabel":"x","mtu":67} → mtu: expected an MTU in bytes, an integer from 68 to 65535, found 67",
      "{"nameLabel":"x","mtu":65536} → mtu: expected an MTU in bytes, an integer from 68 to 65535, found 65536",
      "{"nameLabel":"x","mtu":"1500"} → mtu: expected an MTU in bytes, an integer from 68 to 65535, found "1500"",
      "{"nameLabel":"x","mtu":null} → mtu: expected an MTU in bytes, an integer from 68 to 65535, found null",
      "{"nameLabel":"x","tags":null} → tags: expected a list of texts, found null",
      "{"nameLabel":"x","tags":"web"} → tags: expected a list of texts, found "web"",
      "{"nameLabel":"x","tags":[""]} → tags[0]: expected a text of at least 1 character(s), found """,
      "{"nameLabel":"x","tags":["a","b","a"]} → tags[2]: expected each tag once, found "a"",
      "{"nameLabel":"x","otherConfig":null} → otherConfig: expected an object of texts, found null",
      "{"nameLabel":"x","otherConfig":[]} → otherConfig: expected an object of texts, found []",
      "{"nameLabel":"x","otherConfig":{"":"1"}} → otherConfig[""]: expected a text of at least 1 character(s), found """,
      "{"nameLabel":"x","otherConfig":{"a":null}} → otherConfig["a"]: expected a text, found null",
      "{"nameLabel":"x","otherConfig":{"automatic":"1"}} → otherConfig["automatic"]: the key "automatic" cannot be set here: it is managed by the property \`automatic\`; leave it out",
      "{"nameLabel":"x","otherConfig":{"ip_begin":"1"}} → otherConfig["ip_begin"]: the key "ip_begin" cannot be set here: it makes the host put an address of its own on the network's bridge; leave it out",
      "{"nameLabel":"x","otherConfig":{"ip_end":"1"}} → otherConfig["ip_end"]: the key "ip_end" cannot be set here: it makes the host put an address of its own on the network's bridge; leave it out",
      "{"nameLabel":"x","otherConfig":{"netmask":"1"}} → otherConfig["netmask"]: the key "netmask" cannot be set here: it makes the host put an address of its own on the network's bridge; leave it out",
      "{"nameLabel":"x","otherConfig":{"xennet:owner":"1"}} → otherConfig["xennet:owner"]: the key "xennet:owner" is set by this provider itself; leave it out",
      "{"nameLabel":"x","otherConfig":{"is_guest_installer_network":"true"}} → otherConfig["is_guest_installer_network"]: the key "is_guest_installer_network" cannot be set here: it makes the host treat the network as its own; leave it out",
      "{"nameLabel":"x","otherConfig":{"is_host_internal_management_network":"true"}} → otherConfig["is_host_internal_management_network"]: the key "is_host_internal_management_network" cannot be set here: it makes the host treat the network as its own; leave it out",
      "{"nameLabel":"x","automatic":"yes"} → automatic: expected true or false, found "yes"",
      "{"nameLabel":"x","automatic":null} → automatic: expected true or false, found null",
      "{"nameLabel":"x","defaultLockingMode":"locked"} → defaultLockingMode: expected "unlocked" or "disabled", found "locked"",
      "{"nameLabel":"x","defaultLockingMode":""} → defaultLockingMode: expected "unlocked" or "disabled", found """,
      "{"nameLabel":"x","defaultLockingMode":null} → defaultLockingMode: expected "unlocked" or "disabled", found null",
      "{"nameLabel":"x","bridge":""} → bridge: expected an interface name of 1 to 15 letters, digits, '_', '.' or '-', found """,
      "{"nameLabel":"x","bridge":"a-name-of-16-char"} → bridge: expected an interface name of 1 to 15 letters, digits, '_', '.' or '-', found "a-name-of-16-char"",
      "{"nameLabel":"x","bridge":"xapi7"} → bridge: expected a name that does not begin with xen, xapi, vif, tap or eth, which XAPI keeps, found "xapi7"",
      "{"nameLabel":"x","bridge":"eth0"} → bridge: expected a name that does not begin with xen, xapi, vif, tap or eth, which XAPI keeps, found "eth0"",
      "{"nameLabel":"x","bridge":"tap"} → bridge: expected a name that does not begin with xen, xapi, vif, tap or eth, which XAPI keeps, found "tap"",
      "{"nameLabel":"x","bridge":"a b"} → bridge: expected an interface name of 1 to 15 letters, digits, '_', '.' or '-', found "a b"",
      "{"nameLabel":"x","bridge":"lan/7"} → bridge: expected an interface name of 1 to 15 letters, digits, '_', '.' or '-', found "lan/7"",
      "{"nameLabel":"x","bridge":null} → bridge: expected an interface name of 1 to 15 letters, digits, '_', '.' or '-', found null",
      "{"nameLabel":"x","forceDestroy":"yes"} → forceDestroy: expected true or false, found "yes"",
      "{"nameLabel":"x","adopt":false} → adopt: expected true (finds the network by nameLabel), { uuid: "…" } or { nameLabel: "…" }, found false; leave it out to have a network made",
      "{"nameLabel":"x","adopt":null} → adopt: expected true (finds the network by nameLabel), { uuid: "…" } or { nameLabel: "…" }, found null",
      "{"nameLabel":"x","adopt":"Network 0"} → adopt: expected true (finds the network by nameLabel), { uuid: "…" } or { nameLabel: "…" }, found "Network 0"",
      "{"nameLabel":"x","adopt":{}} → adopt: expected true (finds the network by nameLabel), { uuid: "…" } or { nameLabel: "…" }, so exactly one of the two keys, found {}",
      "{"nameLabel":"x","adopt":{"uuid":"1"}} → adopt.uuid: expected a UUID as \`xe network-list\` shows it, found "1"",
      "{"nameLabel":"x","adopt":{"nameLabel":""}} → adopt.nameLabel: expected a text of at least 1 character(s), found """,
      "{"nameLabel":"x","adopt":{"uuid":"1","nameLabel":"x"}} → adopt: expected true (finds the network by nameLabel), { uuid: "…" } or { nameLabel: "…" }, so exactly one of the two keys, found {"uuid":"1","nameLabel":"x"}",
      "{"adopt":true} → nameLabel: a value is required, found nothing",
      "{"nameLabel":"x","adopt":true,"bridge":"lan7","forceDestroy":false} → bridge: the bridge of a network that exists cannot be named anew; leave it out, or leave out adopt; forceDestroy: an adopted network is given back, never destroyed; leave it out",
    ]
  `);
  expect(pool.writingCalls()).toBe(0);
});

test("refuses in preview what the host would refuse later", async () => {
  await using pool = await startPool();
  const { admin } = pool.simulator;
  const network = async (fields: Props) =>
    admin.call<string>("network.create", { other_config: {}, ...(fields as Record<string, string>) });
  await network({ name_label: "Twins" });
  await network({ name_label: "Twins" });
  await network({ name_label: "Theirs", bridge: "lan7" });
  await network({ name_label: "Unmanaged", managed: false });
  await network({ name_label: "Old installer", other_config: { is_guest_installer_network: "true" } });
  await network({ name_label: "Stack's", other_config: { "xennet:owner": urnOf("XenNetwork", "net", "other") } });
  await network({ name_label: "Own", other_config: { "xennet:owner": owner, "xennet:incarnation": "1" } });
  const damaged = { "xennet:owner": `${owner}3`, "xennet:former": "{" };
  await network({ name_label: "Damaged", other_config: damaged });
  const declarations: Props[] = [
    { nameLabel: "x", bridge: "lan7" },
    ...["Nowhere", "Twins", "Unmanaged", "Old installer", "Stack's", "Own"].map((nameLabel) => ({
      nameLabel,
      adopt: true,
    })),
    { adopt: { uuid: "00000000-0000-0000-0000-000000000000" } },
    { adopt: { nameLabel: "Host internal management network" }, automatic: false },
    ...[{ mtu: 9000 }, { defaultLockingMode: "disabled" }].map((more) => ({ adopt: { nameLabel: physical }, ...more })),
  ];
  const refused = [];
  for (const declared of declarations) refused.push(...(await previewOf(pool, { owner: `${owner}2`, ...declared })));
  refused.push(...(await previewOf(pool, { owner, adopt: { nameLabel: "Own" } })));
  refused.push(await messageOf(previewOf(pool, { owner: `${owner}3`, adopt: { nameLabel: "Damaged" } })));
  expect(
    refused.map((text) => text.replaceAll(/The pool has: .*? \(REF/g, "The pool has: … (REF")),
  ).toMatchInlineSnapshot(`
    [
      "bridge: expected a name that is free, found that "lan7" is the bridge of network "Theirs" (<uuid>)",
      "adopt: expected the name label of a network, found no network for "Nowhere". The pool has: … (REFERENCE_UNKNOWN)",
      "adopt: expected one network, found 2 named "Twins": "Twins" (<uuid>), "Twins" (<uuid>). Give the UUID instead (REFERENCE_AMBIGUOUS)",
      "adopt: expected a network that may be adopted, found "Unmanaged" (<uuid>): XAPI does not manage it (managed=false): its bridge is somebody else's (NETWORK_NOT_ADOPTABLE)",
      "adopt: expected a network that may be adopted, found "Old installer" (<uuid>): it is the guest installer network, which the host itself uses (NETWORK_NOT_ADOPTABLE)",
      "adopt: expected a network that no other resource manages, found that "Stack's" (<uuid>) belongs to "net" of stack shop/other. Take it out of that stack first; if that stack is gone, remove the keys xennet:owner, xennet:incarnation and xennet:former with \`xe network-param-remove\` (NETWORK_FOREIGN)",
      "adopt: expected a network that no other resource manages, found that "Own" (<uuid>) belongs to "internal" of stack shop/dev. Take it out of that stack first; if that stack is gone, remove the keys xennet:owner, xennet:incarnation and xennet:former with \`xe network-param-remove\` (NETWORK_FOREIGN)",
      "adopt: expected the UUID, or at least its first 4 characters, of a network, found no network for "<uuid>". The pool has: … (REFERENCE_UNKNOWN)",
      "adopt: expected a network that may be adopted, found "Host internal management network" (<uuid>): it is the host internal management network, over which the host itself talks to guests (NETWORK_NOT_ADOPTABLE)",
      "mtu: expected a network that may be adopted, found "Pool-wide network associated with eth0" (<uuid>): the host is managed over it (eth0, 192.168.1.10), so "mtu" cannot be declared: it could cut the host off. nameLabel, nameDescription, tags, otherConfig and automatic can (NETWORK_NOT_ADOPTABLE)",
      "defaultLockingMode: expected a network that may be adopted, found "Pool-wide network associated with eth0" (<uuid>): the host is managed over it (eth0, 192.168.1.10), so "defaultLockingMode" cannot be declared: it could cut the host off. nameLabel, nameDescription, tags, otherConfig and automatic can (NETWORK_NOT_ADOPTABLE)",
      "adopt: expected a network that was there before, found "Own" (<uuid>), which this resource made itself; leave adopt out (NETWORK_NOT_ADOPTABLE)",
      "network <uuid> was there before this stack, but its record of former values (other_config:xennet:former) is unreadable. Correct it with \`xe network-param-set\`, or remove the key with \`xe network-param-remove\` to have the values taken that the stack's state has (FORMER_UNREADABLE)",
    ]
  `);
  expect(pool.writingCalls()).toBe(0);
});

test.each([{ name_label: null }, { name_label: 5 }, { tags: "web" }, { MTU: "x" }])(
  "a record of former values that was damaged to %j is never given back to the host",
  async (values) => {
    await using pool = await startPool();
    const stack = new OneResourceStack(pool, handler);
    await stack.up({ owner, adopt: { nameLabel: physical }, nameLabel: "Outside" });
    const network = await refOf(pool, stack.uuid);
    const former = JSON.stringify({ owner, values, otherConfig: {} });
    await pool.simulator.admin.call("network.remove_from_other_config", network, "xennet:former");
    await pool.simulator.admin.call("network.add_to_other_config", network, "xennet:former", former);
    const first = pool.writingCalls();
    await expect(stack.destroy()).rejects.toMatchObject({ code: "FORMER_UNREADABLE" });
    expect(pool.writtenSince(first)).toEqual([]);
  },
);

test.each(["all", "default", "lo", "ovs-system", "dummy0", "bond0"])(
  "refuses %s as the name of a bridge, as the host uses it itself",
  async (bridge) => {
    await using pool = await startPool();
    expect(await previewOf(pool, { ...given, bridge })).toEqual([
      `bridge: expected a name that the host does not use itself, found "${bridge}"`,
    ]);
  },
);

test("refuses the name of a host's interface for a bridge", async () => {
  await using pool = await startPool();
  const [pif = ""] = await pool.simulator.admin.call<string[]>("PIF.get_all");
  pool.simulator.admin.modify("PIF", pif, { device: "enp3s0" });
  expect(await previewOf(pool, { ...given, bridge: "enp3s0" })).toEqual([
    'bridge: expected a name that is free, found that "enp3s0" is a network interface of the host',
  ]);
  expect(await previewOf(pool, { ...given, bridge: "enp3s1" })).toEqual([]);
});

test("refuses a bond member's network", async () => {
  await using pool = await startPool();
  const [pif = ""] = await pool.simulator.admin.call<string[]>("PIF.get_all");
  pool.simulator.admin.modify("PIF", pif, { bond_slave_of: "OpaqueRef:bond", management: false });
  expect(await previewOf(pool, { owner, adopt: { nameLabel: physical } })).toMatchInlineSnapshot(`
    [
      "adopt: expected a network that may be adopted, found "Pool-wide network associated with eth0" (<uuid>): its interface eth0 is a member of a bond; adopt the bond's network instead (NETWORK_NOT_ADOPTABLE)",
    ]
  `);
});

test("says before and instead of XAPI that the locking mode waits for plugged VIFs", async () => {
  await using used = await usedNetwork();
  const { pool, stack } = used;
  const first = pool.writingCalls();
  const change = { ...given, nameLabel: "Renamed", defaultLockingMode: "disabled" };
  const { id = "", outs = {} } = stack.state ?? {};
  const { inputs } = await handler.check(pool.newProcess(), {}, change);
  const messages = [
    await messageOf(handler.diff(pool.newProcess(), id, outs, inputs)),
    await messageOf(handler.update(pool.newProcess(), id, outs, inputs)),
  ];
  expect(messages).toMatchInlineSnapshot(`
    [
      "the default locking mode of network "Internal network" can be changed only while none of its VIFs is plugged, and these are: device 3 of "Fedora server 1" (<uuid>). Unplug them or shut the VMs down, then run up again (LOCKING_WHILE_PLUGGED)",
      "the default locking mode of network "Internal network" can be changed only while none of its VIFs is plugged, and these are: device 3 of "Fedora server 1" (<uuid>). Unplug them or shut the VMs down, then run up again (LOCKING_WHILE_PLUGGED)",
    ]
  `);
  expect(pool.writtenSince(first)).toEqual([]);
});

test("refuses a replace and a delete while VIFs of others are on the network, naming them", async () => {
  await using used = await usedNetwork();
  const { pool, stack, network } = used;
  await putVif(pool, network, "Fedora server 2");
  await pool.simulator.admin.call("VM.snapshot", await pool.vmNamed("Fedora server 2"), "before the update");
  const { id = "", outs = {}, inputs = {} } = stack.state ?? {};
  const before = await poolRecords(pool);
  const messages = [
    await messageOf(handler.diff(pool.newProcess(), id, outs, { ...inputs, bridge: "lan8" })),
    await messageOf(
      handler.diff(pool.newProcess(), id, outs, { owner, host: "default", adopt: { nameLabel: physical } }),
    ),
    await messageOf(stack.destroy()),
  ];
  expect(messages.map(sortedUsers)).toMatchInlineSnapshot(`
    [
      "network "Internal network" would have to be replaced because of "bridge", but VIFs that are not this stack's are on it: device 3 of "Fedora server 1" (<uuid>), device 3 of "Fedora server 2" (<uuid>), device 3 of snapshot "before the update" (<uuid>). Move or destroy them first, or leave the property as it was (NETWORK_IN_USE)",
      "network "Internal network" would have to be replaced because of "adopt", but VIFs that are not this stack's are on it: device 3 of "Fedora server 1" (<uuid>), device 3 of "Fedora server 2" (<uuid>), device 3 of snapshot "before the update" (<uuid>). Move or destroy them first, or leave the property as it was (NETWORK_IN_USE)",
      "network "Internal network" is to be deleted, but VIFs are still on it: device 3 of "Fedora server 1" (<uuid>), device 3 of "Fedora server 2" (<uuid>), device 3 of snapshot "before the update" (<uuid>). Move or destroy them first; XAPI would delete them with the network. To have them deleted set forceDestroy: true, run up, then delete (NETWORK_IN_USE)",
    ]
  `);
  expect(await poolRecords(pool)).toEqual(before);
});

test("says of a VIF with this stack's mark how it gets into the state that does not have it", async () => {
  await using pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  await stack.up(given);
  const network = await refOf(pool, stack.uuid);
  await putVif(pool, network, "Fedora server 1", { "xennet:owner": urnOf("XenVif", "server1") });
  const hint =
    'If a run that was cut off made "server1" of stack shop/dev, the state does not have it yet: run up once, which finds it by its mark, then destroy. ';
  expect(await messageOf(stack.destroy())).toContain(` with the network. ${hint}To have them deleted `);
  // The mark of a clone is a copy, and says nothing.
  await putVif(pool, network, "Fedora server 2", { "xennet:owner": urnOf("XenVif", "server1") });
  expect(await messageOf(stack.destroy())).toContain(" with the network. To have them deleted ");
});

test("refuses to delete a network that somebody connected to the outside, forced or not", async () => {
  await using pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  await stack.up({ ...given, forceDestroy: true });
  const [pif = ""] = await pool.simulator.admin.call<string[]>("PIF.get_all");
  pool.simulator.admin.modify("PIF", pif, { network: await refOf(pool, stack.uuid), VLAN: 7 });
  const { id = "", outs = {}, inputs = {} } = stack.state ?? {};
  const messages = [
    await messageOf(handler.diff(pool.newProcess(), id, outs, { ...inputs, bridge: "lan8" })),
    await messageOf(stack.destroy()),
  ];
  expect(messages).toMatchInlineSnapshot(`
    [
      "network "Internal network" is to be deleted, but interfaces of the host belong to it: eth0 VLAN 7 (<uuid>). Somebody connected it to the outside after it was made; remove the VLAN or bond first (NETWORK_HAS_PIF)",
      "network "Internal network" is to be deleted, but interfaces of the host belong to it: eth0 VLAN 7 (<uuid>). Somebody connected it to the outside after it was made; remove the VLAN or bond first (NETWORK_HAS_PIF)",
    ]
  `);
});

test("refuses to change a network that another stack has marked since, and one that is gone", async () => {
  await using pool = await startPool();
  const stack = new OneResourceStack(pool, handler);
  await stack.up(given);
  const { id = "", outs = {}, inputs = {} } = stack.state ?? {};
  const ref = await refOf(pool, stack.uuid);
  const theirs = { "xennet:owner": urnOf("XenNetwork", "net", "other"), "xennet:incarnation": "0123456789abcdef" };
  await pool.simulator.admin.call("network.set_other_config", ref, theirs);
  const messages = [await messageOf(stack.up({ ...given, mtu: 9000 }))];
  await pool.simulator.admin.call("network.destroy", ref);
  messages.push(await messageOf(handler.update(pool.newProcess(), id, outs, inputs)));
  expect(messages).toMatchInlineSnapshot(`
    [
      "expected a network that no other resource manages, found that "Internal network" (<uuid>) belongs to "net" of stack shop/other. Take it out of that stack first; if that stack is gone, remove the keys xennet:owner, xennet:incarnation and xennet:former with \`xe network-param-remove\` (NETWORK_FOREIGN)",
      "the network <uuid>/<uuid> is not in the pool any more; run \`pulumi refresh\`, then up again (RESOURCE_GONE)",
    ]
  `);
});

test("says that a host is too old for locking modes or names of bridges, in preview and before anything is made", async () => {
  const messages: string[] = [];
  for (const [profile, wrong] of [
    ["xenserver-5.6", { defaultLockingMode: "disabled" }],
    ["xenserver-5.6", { bridge: "lan7" }],
    ["xenserver-6.2", { bridge: "lan7" }],
  ] as const) {
    await using pool = await startPool({ profile });
    const { failures } = await handler.check(pool.newProcess(), {}, { ...given, ...wrong });
    expect(failures.map((failure) => failure.property)).toEqual(Object.keys(wrong));
    messages.push(...failures.map((failure) => failure.reason));
    const first = pool.writingCalls();
    const attempt = handler.create(pool.newProcess(), { ...given, ...wrong });
    expect(await messageOf(attempt)).toBe(messages.at(-1));
    expect(pool.writtenSince(first)).toEqual([]);
  }
  expect(messages).toMatchInlineSnapshot(`
    [
      "expected a host that knows locking modes and allowed addresses (since XenServer 6.1), found XenServer 5.6.0; leave defaultLockingMode out (HOST_TOO_OLD)",
      "expected a host that takes a name for a bridge (since XenServer 7.2), found XenServer 5.6.0; leave bridge out (HOST_TOO_OLD)",
      "expected a host that takes a name for a bridge (since XenServer 7.2), found XenServer 6.2.0; leave bridge out (HOST_TOO_OLD)",
    ]
  `);
});

/** VIFs are listed by UUID, which is random here. */
function sortedUsers(message: string): string {
  const users = message.match(/device \d+ of [^)]*\)/g) ?? [];
  return message.replace(users.join(", "), [...users].sort().join(", "));
}
