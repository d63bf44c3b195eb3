import type { XapiClient } from "./client";
import { removeOtherConfigKey, setOtherConfigKey, unlessGone } from "./objects";
import { decodeAll, RecordReader } from "./records";

const kind = "network";

/** A network as XAPI describes it. */
export interface NetworkRecord {
  readonly ref: string;
  readonly uuid: string;
  readonly name_label: string;
  readonly name_description: string;
  readonly VIFs: readonly string[];
  readonly PIFs: readonly string[];
  readonly MTU: number;
  readonly bridge: string;
  readonly managed: boolean;
  readonly tags: readonly string[];
  /** What `network_default` means to the network's VIFs; undefined on hosts before 6.1. */
  readonly default_locking_mode: DefaultLockingMode | undefined;
  readonly other_config: Readonly<Record<string, string>>;
}

/** `disabled` drops all traffic of VIFs whose own mode is `network_default`. */
export type DefaultLockingMode = "unlocked" | "disabled";

/** What a new network starts with. */
export interface NewNetwork {
  readonly name_label: string;
  readonly name_description: string;
  readonly MTU: number;
  readonly tags: readonly string[];
  /** Name of the bridge, since 7.2; XAPI chooses `xapi<N>` for none or an empty one. */
  readonly bridge?: string;
  readonly other_config: Readonly<Record<string, string>>;
}

export async function getAllRecords(client: XapiClient): Promise<NetworkRecord[]> {
  return decodeAll(kind, await client.call("network.get_all_records"), decode);
}

/** Undefined when there is no such network (any more). */
export async function getByUuid(client: XapiClient, uuid: string): Promise<NetworkRecord | undefined> {
  const ref = await unlessGone(client.call<string>("network.get_by_uuid", uuid));
  return ref === undefined ? undefined : unlessGone(getRecord(client, ref));
}

export async function getRecord(client: XapiClient, ref: string): Promise<NetworkRecord> {
  return decode(ref, await client.call("network.get_record", ref));
}

/** Resolves to the new network's reference. One record shape fits all versions: unknown keys are ignored. */
export function create(client: XapiClient, network: NewNetwork): Promise<string> {
  return client.call("network.create", { ...network });
}

/** Trap: XAPI also deletes every unplugged VIF of the network, whoever owns it. */
export async function destroy(client: XapiClient, ref: string): Promise<void> {
  await client.call("network.destroy", ref);
}

export async function setNameLabel(client: XapiClient, ref: string, value: string): Promise<void> {
  await client.call("network.set_name_label", ref, value);
}

export async function setNameDescription(client: XapiClient, ref: string, value: string): Promise<void> {
  await client.call("network.set_name_description", ref, value);
}

/** Reaches VIFs at their next plug. */
export async function setMtu(client: XapiClient, ref: string, value: number): Promise<void> {
  await client.call("network.set_MTU", ref, value);
}

export async function setTags(client: XapiClient, ref: string, value: readonly string[]): Promise<void> {
  await client.call("network.set_tags", ref, value);
}

/** Fails with VIF_IN_USE while any VIF of the network is plugged. Since 6.1. */
export async function setDefaultLockingMode(client: XapiClient, ref: string, value: DefaultLockingMode): Promise<void> {
  await client.call("network.set_default_locking_mode", ref, value);
}

/** Writes the whole map in one call; start from the map just read, as other tools keep keys of theirs there. */
export async function replaceOtherConfig(
  client: XapiClient,
  ref: string,
  otherConfig: Readonly<Record<string, string>>,
): Promise<void> {
  await client.call("network.set_other_config", ref, otherConfig);
}

/** Removes the key, then adds it: two calls. */
export function setOtherConfig(client: XapiClient, ref: string, key: string, value: string): Promise<void> {
  return setOtherConfigKey(client, kind, ref, key, value);
}

/** Fails with MAP_DUPLICATE_KEY when the key is there. */
export async function addToOtherConfig(client: XapiClient, ref: string, key: string, value: string): Promise<void> {
  await client.call("network.add_to_other_config", ref, key, value);
}

export function removeFromOtherConfig(client: XapiClient, ref: string, key: string): Promise<void> {
  return removeOtherConfigKey(client, kind, ref, key);
}

function decode(ref: string, raw: unknown): NetworkRecord {
  const record = new RecordReader(kind, raw);
  return {
    ref,
    uuid: record.text("uuid"),
    name_label: record.text("name_label"),
    name_description: record.text("name_description"),
    VIFs: record.texts("VIFs"),
    PIFs: record.texts("PIFs"),
    MTU: record.integer("MTU", 1500),
    bridge: record.text("bridge"),
    managed: record.flag("managed", true),
    tags: record.texts("tags", []),
    default_locking_mode: record.has("default_locking_mode")
      ? (record.text("default_locking_mode") as DefaultLockingMode)
      : undefined,
    other_config: record.map("other_config"),
  };
}
