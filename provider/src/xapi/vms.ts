import type { XapiClient } from "./client";
import { removeOtherConfigKey, setOtherConfigKey, unlessGone } from "./objects";
import { decodeAll, RecordReader } from "./records";

const kind = "VM";

export type PowerState = "Halted" | "Paused" | "Running" | "Suspended";

/** A virtual machine as XAPI describes it; templates, snapshots and dom0 are VMs too. */
export interface VmRecord {
  readonly ref: string;
  readonly uuid: string;
  readonly name_label: string;
  readonly power_state: PowerState;
  /** -1 when the VM does not run. */
  readonly domid: number;
  readonly resident_on: string;
  readonly is_a_template: boolean;
  readonly is_a_snapshot: boolean;
  readonly is_control_domain: boolean;
  readonly VIFs: readonly string[];
  readonly guest_metrics: string;
  readonly other_config: Readonly<Record<string, string>>;
  /** What is going on with it, by the task: `start`, `hard_reboot`, … */
  readonly current_operations: Readonly<Record<string, string>>;
}

/** What the tools in the guest report. */
export interface GuestMetrics {
  /** `<device>/ip`, `<device>/ipv4/<n>` → address. */
  readonly networks: Readonly<Record<string, string>>;
  readonly other: Readonly<Record<string, string>>;
  /** Absent on old hosts. */
  readonly can_use_hotplug_vif: "yes" | "no" | "unspecified";
}

export async function getAllRecords(client: XapiClient): Promise<VmRecord[]> {
  return decodeAll(kind, await client.call("VM.get_all_records"), decode);
}

/** All VMs of that name, templates, snapshots and dom0 left out: names are not unique. */
export async function getByNameLabel(client: XapiClient, name: string): Promise<VmRecord[]> {
  const refs = await client.call<readonly string[]>("VM.get_by_name_label", name);
  const records = await Promise.all(refs.map((ref) => unlessGone(getRecord(client, ref))));
  return records.filter((vm) => vm !== undefined).filter(isMachine);
}

/** False for templates, snapshots and dom0. */
export function isMachine(vm: VmRecord): boolean {
  return !vm.is_a_template && !vm.is_a_snapshot && !vm.is_control_domain;
}

export async function getRecord(client: XapiClient, ref: string): Promise<VmRecord> {
  return decode(ref, await client.call("VM.get_record", ref));
}

/** Free device numbers, as the host offers them. */
export async function getAllowedVifDevices(client: XapiClient, ref: string): Promise<readonly string[]> {
  return client.call("VM.get_allowed_VIF_devices", ref);
}

/** What the tools of all VMs report, by the reference in {@link VmRecord.guest_metrics}: one call, however many VMs. */
export async function getAllGuestMetrics(client: XapiClient): Promise<ReadonlyMap<string, GuestMetrics>> {
  const raw = await client.call("VM_guest_metrics.get_all_records");
  return new Map(decodeAll("VM_guest_metrics", raw, (ref, record) => [ref, decodeGuestMetrics(record)] as const));
}

/** Sets one key of the VM's `other_config`, leaving all others; two calls. */
export function setOtherConfig(client: XapiClient, ref: string, key: string, value: string): Promise<void> {
  return setOtherConfigKey(client, kind, ref, key, value);
}

/** An absent key is fine. */
export function removeFromOtherConfig(client: XapiClient, ref: string, key: string): Promise<void> {
  return removeOtherConfigKey(client, kind, ref, key);
}

function decodeGuestMetrics(raw: unknown): GuestMetrics {
  const record = new RecordReader("VM_guest_metrics", raw);
  const hotplug = record.text("can_use_hotplug_vif", "unspecified");
  return {
    networks: record.map("networks"),
    other: record.map("other", {}),
    can_use_hotplug_vif: hotplug === "yes" || hotplug === "no" ? hotplug : "unspecified",
  };
}

function decode(ref: string, raw: unknown): VmRecord {
  const record = new RecordReader(kind, raw);
  return {
    ref,
    uuid: record.text("uuid"),
    name_label: record.text("name_label"),
    power_state: record.text("power_state") as PowerState,
    domid: record.integer("domid", -1),
    resident_on: record.text("resident_on"),
    is_a_template: record.flag("is_a_template"),
    is_a_snapshot: record.flag("is_a_snapshot", false),
    is_control_domain: record.flag("is_control_domain"),
    VIFs: record.texts("VIFs"),
    guest_metrics: record.text("guest_metrics"),
    other_config: record.map("other_config"),
    current_operations: record.map("current_operations", {}),
  };
}
