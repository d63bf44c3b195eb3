import { expect } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { type PoolUnderTest, urnOf } from "../handlers/pool-under-test.ts";
import type { Value } from "../simulator.ts";
import type { ForeignObject, LifecycleCase, OutsideChange, PropertyUpdate } from "./case.ts";
import { type HostTraits, tooOld, where } from "./host-traits.ts";

const owner = urnOf("XenNetwork", "internal");
const setKey = ["network.remove_from_other_config", "network.add_to_other_config"];
const physical = "Pool-wide network associated with eth0";

const undeclared = { nameLabel: undefined, defaultLockingMode: undefined };
const everything = {
  nameLabel: "By hand",
  nameDescription: "Ours for now",
  mtu: 1400,
  tags: ["b", "a"],
  otherConfig: { theirs: "ours for now", absent: "1" },
};

/** The lifecycle of XenNetwork on a host. */
export const xenNetworkCase = (host: HostTraits): LifecycleCase => ({
  kind: "XenNetwork",
  handler: xenNetworkHandler,
  className: "network",
  prepare: async () => ({ owner, nameLabel: "Internal network", ...locked(host) }),
  created: { name_label: "Internal network", MTU: 1500, tags: [], ...lockedRecord(host) },
  createCalls: ["network.create", ...where(host.locking, "network.set_default_locking_mode")],
  deleteCalls: ["network.destroy"],
  updates: [
    {
      title: "nameLabel",
      to: { nameLabel: "Renamed" },
      record: { name_label: "Renamed" },
      calls: ["network.set_name_label"],
    },
    {
      title: "nameDescription",
      to: { nameDescription: "For the web servers" },
      record: { name_description: "For the web servers" },
      calls: ["network.set_name_description"],
    },
    { title: "mtu", to: { mtu: 9000 }, record: { MTU: 9000 }, calls: ["network.set_MTU"] },
    {
      title: "mtu, declared before",
      from: { mtu: 9000 },
      to: { mtu: undefined },
      record: { MTU: 1500 },
      calls: ["network.set_MTU"],
    },
    {
      title: "tags",
      from: { tags: ["web"] },
      to: { tags: ["shop", "db"] },
      record: { tags: ["db", "shop"] },
      calls: ["network.set_tags"],
    },
    {
      title: "automatic",
      to: { automatic: true },
      record: { other_config: config({ automatic: "true" }) },
      calls: setKey,
    },
    {
      title: "otherConfig: one key changed, one removed, one new",
      from: { otherConfig: { mine: "1", gone: "1" } },
      to: { otherConfig: { mine: "2", more: "3" } },
      record: { other_config: config({ mine: "2", more: "3" }) },
      calls: [...setKey, "network.remove_from_other_config", ...setKey],
    },
    ...where<PropertyUpdate>(
      host.locking,
      {
        title: "defaultLockingMode",
        to: { defaultLockingMode: "unlocked" },
        record: { default_locking_mode: "unlocked" },
        calls: ["network.set_default_locking_mode"],
      },
      {
        title: "defaultLockingMode, declared before",
        to: { defaultLockingMode: undefined },
        record: { default_locking_mode: "unlocked" },
        calls: ["network.set_default_locking_mode"],
      },
    ),
    {
      title: "everything at once",
      to: { nameLabel: "Renamed", nameDescription: "New", mtu: 1400, tags: ["t"], ...locked(host, "unlocked") },
      record: { name_label: "Renamed", name_description: "New", MTU: 1400, ...lockedRecord(host, "unlocked") },
      calls: [
        ...where(host.locking, "network.set_default_locking_mode"),
        "network.set_name_label",
        "network.set_name_description",
        "network.set_MTU",
        "network.set_tags",
      ],
    },
    { title: "forceDestroy", to: { forceDestroy: true }, record: {}, calls: [] },
    {
      title: "owner, as after a stack rename",
      to: { owner: urnOf("XenNetwork", "internal", "prod") },
      record: { other_config: config({ "xennet:owner": urnOf("XenNetwork", "internal", "prod") }) },
      calls: setKey,
    },
  ],
  outsideChanges: [
    { title: "nameLabel", change: byHand("set_name_label", "By hand") },
    { title: "nameDescription", change: byHand("set_name_description", "By hand") },
    { title: "mtu", change: byHand("set_MTU", 1280) },
    { title: "tags", given: { tags: ["web"] }, change: byHand("set_tags", ["by hand"]) },
    ...where<OutsideChange>(host.locking, {
      title: "defaultLockingMode",
      change: byHand("set_default_locking_mode", "unlocked"),
    }),
    { title: "automatic, removed", change: byHand("remove_from_other_config", "automatic") },
    {
      title: "automatic: true, removed",
      given: { automatic: true },
      change: byHand("remove_from_other_config", "automatic"),
    },
    {
      title: "a key, removed",
      given: { otherConfig: { mine: "1" } },
      change: byHand("remove_from_other_config", "mine"),
    },
    { title: "the owner's mark, removed", change: byHand("remove_from_other_config", "xennet:owner") },
    { title: "the incarnation, removed", change: byHand("remove_from_other_config", "xennet:incarnation") },
  ],
  foreign: [
    {
      title: "a bridge of another network",
      prepare: async () => ({ bridge: "xenapi" }),
      message: /does not begin with xen/,
    },
    ...where<ForeignObject>(host.bridgeName, {
      title: "a bridge that another network has",
      prepare: async (pool) => {
        await pool.simulator.admin.call("network.create", { other_config: {}, name_label: "Theirs", bridge: "lan7" });
        return { bridge: "lan7" };
      },
      message: /"lan7" is the bridge of network "Theirs"/,
    }),
    ...where<ForeignObject>(!host.bridgeName, {
      title: "a name for its bridge, which the host is too old for",
      prepare: async () => ({ bridge: "lan7" }),
      message: tooOld("takes a name for a bridge (since XenServer 7.2)", host, "leave bridge out"),
    }),
    ...where<ForeignObject>(!host.locking, {
      title: "a locking mode, which the host is too old for",
      prepare: async () => ({ defaultLockingMode: "unlocked" }),
      message: tooOld(
        "knows locking modes and allowed addresses (since XenServer 6.1)",
        host,
        "leave defaultLockingMode out",
      ),
    }),
    {
      title: "adopting a network that another stack has adopted",
      prepare: async (pool) => {
        const inputs = { owner: urnOf("XenNetwork", "net", "other"), adopt: { nameLabel: physical }, automatic: false };
        await xenNetworkHandler.create(pool.newProcess(), inputs);
        return { nameLabel: undefined, defaultLockingMode: undefined, adopt: { nameLabel: physical }, automatic: true };
      },
      message: /belongs to "net" of stack shop\/other/,
    },
    {
      title: "adopting the host's own network",
      prepare: async () => ({
        nameLabel: host.ownNetwork,
        defaultLockingMode: undefined,
        adopt: true,
      }),
      message: /host internal management network, over which the host itself talks|which the host itself uses/,
    },
  ],
  adoptions: [
    {
      title: "the management network, so that it does not add itself to new VMs",
      prepare: async (pool) => ({
        uuid: await uuidOf(pool, physical),
        given: { ...undeclared, adopt: { nameLabel: physical }, automatic: false },
      }),
      record: { name_label: physical, other_config: adoptedConfig({ automatic: "false" }) },
      later: { nameLabel: "Network 0", tags: ["outside"], otherConfig: { "static-routes": "10.1.0.0/16/192.168.1.7" } },
    },
    {
      title: "a network by its own name, nearly all properties of it",
      prepare: async (pool) => ({
        uuid: await makeByHand(pool),
        given: { ...everything, ...locked(host), adopt: true },
      }),
      record: { name_label: "By hand", MTU: 1400, tags: ["a", "b"], ...lockedRecord(host) },
      later: { ...undeclared, nameLabel: "By hand", mtu: 1300 },
    },
    {
      title: "a network by UUID, of which a name is declared",
      prepare: async (pool) => {
        const uuid = await makeByHand(pool);
        return { uuid, given: { ...undeclared, adopt: { uuid }, nameLabel: "Renamed" } };
      },
      record: { name_label: "Renamed", MTU: 1600, tags: ["z", "a"] },
      later: { nameLabel: undefined, otherConfig: { theirs: "changed" } },
    },
  ],
  derived: [],
});

/** Declares the mode, where the host has one. */
function locked(host: HostTraits, mode = "disabled"): Props {
  return host.locking ? { defaultLockingMode: mode } : {};
}

function lockedRecord(host: HostTraits, mode = "disabled"): Props {
  return host.locking ? { default_locking_mode: mode } : {};
}

/** The whole `other_config`: what is declared, and the marks. */
function config(keys: Props = {}): Props {
  return { automatic: "false", "xennet:owner": owner, "xennet:incarnation": expect.any(String), ...keys };
}

function adoptedConfig(keys: Props): Props {
  return expect.objectContaining({ "xennet:owner": owner, "xennet:former": expect.any(String), ...keys });
}

function byHand(call: string, ...args: Value[]) {
  return async (pool: PoolUnderTest, ref: string): Promise<void> => {
    await pool.simulator.admin.call(`network.${call}`, ref, ...args);
  };
}

async function makeByHand(pool: PoolUnderTest): Promise<string> {
  const fields = { name_label: "By hand", name_description: "Made in XenCenter", MTU: 1600, tags: ["z", "a"] };
  const ref = await pool.simulator.admin.call<string>("network.create", { ...fields, other_config: { theirs: "1" } });
  return pool.simulator.admin.call("network.get_uuid", ref);
}

async function uuidOf(pool: PoolUnderTest, nameLabel: string): Promise<string> {
  const [ref = ""] = await pool.simulator.admin.call<string[]>("network.get_by_name_label", nameLabel);
  return pool.simulator.admin.call("network.get_uuid", ref);
}
