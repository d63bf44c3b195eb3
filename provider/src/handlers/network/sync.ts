import { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import { hasXapiCode, isGone } from "../../xapi/errors";
import * as networks from "../../xapi/networks";
import type { Former } from "../former";
import type { Props } from "../handler";
import { equal, numberOf, ownOf, textMapOf, textOf, textsOf } from "../props";
import { notDone } from "../seen";
import { managedOf } from "./managed";
import { clearUsers, refuseLockingWhilePlugged, refuseWhileUsed } from "./users";

/** Creates the network with its marks, and returns it as XAPI has it. */
export async function makeNetwork(
  host: HostContext,
  inputs: Props,
  marks: Record<string, string>,
): Promise<networks.NetworkRecord> {
  const bridge = textOf(inputs, "bridge");
  const ref = await networks.create(host.xapi, {
    name_label: textOf(inputs, "nameLabel") ?? "",
    name_description: textOf(inputs, "nameDescription") ?? "",
    MTU: numberOf(inputs, "mtu") ?? 1500,
    tags: textsOf(inputs, "tags").sort(),
    ...(bridge === undefined ? {} : { bridge }),
    other_config: { ...managedOf(inputs).otherConfig, ...marks },
  });
  host.poolChanged();
  const made = (await host.poolView()).networks.find((network) => network.ref === ref);
  if (made === undefined)
    throw new XennetError(
      "NETWORK_VANISHED",
      `the network just created (${ref}) is not in the pool any more; run up again`,
    );
  return made;
}

/**
 * Brings a network of our own to what is declared. Keys that `olds` had and the inputs have not are removed; a locking
 * mode that is not declared any more goes back to what a new network has.
 */
export async function syncOwnNetwork(
  host: HostContext,
  network: networks.NetworkRecord,
  inputs: Props,
  olds: Props,
  marks: Record<string, string>,
): Promise<void> {
  const managed = managedOf(inputs);
  const removed = Object.keys(textMapOf(olds, "otherConfig")).map((key) => [key, null] as const);
  await writeDifferences(host, network, {
    values: { ...lockingReset(network, inputs, olds), ...managed.values },
    otherConfig: { ...Object.fromEntries(removed), ...managed.otherConfig, ...marks },
  });
}

/** Writes what differs, one call a field; `null` removes a key, and keys that are not named stay as they are. */
export async function writeDifferences(
  host: HostContext,
  network: networks.NetworkRecord,
  wanted: Omit<Former, "owner">,
): Promise<void> {
  try {
    for (const [field, write] of Object.entries(writers)) {
      const value = wanted.values[field];
      if (value !== undefined && !isSame(value, network[field as keyof networks.NetworkRecord])) {
        await write(host, network, value);
      }
    }
    await writeKeys(host, network, wanted.otherConfig);
  } finally {
    host.poolChanged();
  }
}

/** Deletes a network of our own; already gone is fine. */
export async function destroyNetwork(
  host: HostContext,
  network: networks.NetworkRecord,
  force: boolean,
): Promise<void> {
  await (force ? clearUsers(host, network) : refuseWhileUsed(host, network));
  try {
    await networks.destroy(host.xapi, network.ref);
  } catch (error) {
    if (!isGone(error)) throw error;
    return;
  } finally {
    host.poolChanged();
  }
  if ((await networks.getByUuid(host.xapi, network.uuid)) === undefined) return;
  throw notDone(`network ${quoted(network.name_label)} (${network.uuid}) was to be destroyed`, "it is still there");
}

/** The default locking mode that a declaration leads to, where it is not the one declared. */
function lockingReset(network: networks.NetworkRecord, inputs: Props, olds: Props): Record<string, unknown> {
  const isDropped = inputs["defaultLockingMode"] === undefined && olds["defaultLockingMode"] !== undefined;
  return isDropped && network.default_locking_mode !== undefined ? { default_locking_mode: "unlocked" } : {};
}

type Writer = (host: HostContext, network: networks.NetworkRecord, value: unknown) => Promise<void>;

/** In the order of the calls: what XAPI may refuse comes first, while nothing is changed yet. */
const writers: Readonly<Record<string, Writer>> = {
  default_locking_mode: writeLockingMode,
  name_label: ({ xapi }, { ref }, value) => networks.setNameLabel(xapi, ref, String(value)),
  name_description: ({ xapi }, { ref }, value) => networks.setNameDescription(xapi, ref, String(value)),
  MTU: writeMtu,
  tags: ({ xapi }, { ref }, value) => networks.setTags(xapi, ref, (value as unknown[]).map(String)),
};

async function writeMtu(host: HostContext, network: networks.NetworkRecord, value: unknown): Promise<void> {
  await networks.setMtu(host.xapi, network.ref, Number(value));
  const { vifs } = await host.poolView();
  const plugged = vifs.filter((vif) => vif.network === network.ref && vif.currently_attached).length;
  if (plugged === 0) return;
  host.warn(
    `Network ${quoted(network.name_label)}: the MTU of ${value} bytes takes effect when VIFs are plugged the next time; ${plugged} plugged now: ` +
      "xe vif-unplug and vif-plug each, or restart the VMs.",
  );
}

async function writeLockingMode(host: HostContext, network: networks.NetworkRecord, value: unknown): Promise<void> {
  await refuseLockingWhilePlugged(host, network);
  try {
    await networks.setDefaultLockingMode(host.xapi, network.ref, value as networks.DefaultLockingMode);
  } catch (error) {
    if (!hasXapiCode(error, "VIF_IN_USE")) throw error;
    host.poolChanged();
    await refuseLockingWhilePlugged(host, network);
    throw error;
  }
}

async function writeKeys(
  { xapi }: HostContext,
  network: networks.NetworkRecord,
  wanted: Readonly<Record<string, string | null>>,
): Promise<void> {
  for (const [key, value] of Object.entries(wanted)) {
    const now = ownOf(network.other_config, key);
    if (value === null) {
      if (now !== undefined) await networks.removeFromOtherConfig(xapi, network.ref, key);
    } else if (now !== value) await networks.setOtherConfig(xapi, network.ref, key, value);
  }
}

/** Tags are a set: their order is none of the network's. */
export function isSame(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b) ? equal([...a].sort(), [...b].sort()) : equal(a, b);
}
