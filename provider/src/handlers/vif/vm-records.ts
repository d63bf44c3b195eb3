import { createHash } from "node:crypto";
import type { HostContext } from "../../hosts/context";
import type { PoolView } from "../../hosts/pool-view";
import * as vms from "../../xapi/vms";
import { isCarried, isMovedVif, isReplacedVif } from "../record-shapes";

/** What is kept in a VM's `other_config` while there is no VIF that could carry it. */
export type RecordKind = "carry" | "replaced" | "moved";

/** A record with the VM it was found on. */
export interface FoundRecord<T> {
  readonly vm: vms.VmRecord;
  readonly record: T;
}

/** The key under which a resource's record lies; the owner itself is longer than is fit for a key. */
export function vmRecordKey(kind: RecordKind, owner: string): string {
  return `xennet:${kind}:${createHash("sha256").update(owner).digest("hex").slice(0, 16)}`;
}

const shapes = { carry: isCarried, replaced: isReplacedVif, moved: isMovedVif };

/** A resource's records on all VMs: it may have left one on the VM it was on before. An unreadable one is `undefined`. */
export function vmRecordsOf<T extends { readonly owner: string }>(
  view: PoolView,
  kind: RecordKind,
  owner: string,
): FoundRecord<T | undefined>[] {
  const isReadable = shapes[kind];
  const key = vmRecordKey(kind, owner);
  return view.vms.flatMap((vm) => {
    const text = vm.other_config[key];
    return text === undefined ? [] : [{ vm, record: parsed<T>(text, owner, isReadable) }];
  });
}

/** Writes a record, unless it is there already. */
export async function writeVmRecord(
  host: HostContext,
  vm: vms.VmRecord,
  kind: RecordKind,
  record: { readonly owner: string },
): Promise<void> {
  const key = vmRecordKey(kind, record.owner);
  const text = JSON.stringify(record);
  if (vm.other_config[key] === text) return;
  await vms.setOtherConfig(host.xapi, vm.ref, key, text);
  host.poolChanged();
}

/** Removes a resource's record from these VMs. */
export async function removeVmRecord(
  host: HostContext,
  on: readonly vms.VmRecord[],
  kind: RecordKind,
  owner: string,
): Promise<void> {
  for (const vm of on) {
    await vms.removeFromOtherConfig(host.xapi, vm.ref, vmRecordKey(kind, owner));
    host.poolChanged();
  }
}

function parsed<T extends { readonly owner: string }>(
  text: string,
  owner: string,
  isReadable: (value: unknown) => boolean,
): T | undefined {
  try {
    const record: unknown = JSON.parse(text);
    return isReadable(record) && (record as T).owner === owner ? (record as T) : undefined;
  } catch {
    return undefined;
  }
}
