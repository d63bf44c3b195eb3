import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import { type PoolView, vmOfVif } from "../../hosts/pool-view";
import type { VifRecord } from "../../xapi/vifs";
import type { VmRecord } from "../../xapi/vms";
import type { Props } from "../handler";
import { isOurs } from "../record-shapes";
import { declaredParts, differingSettings, newVifValues, type VifValues, valuesOf } from "./fields";
import { removeVmRecord, vmRecordKey, vmRecordsOf, writeVmRecord } from "./vm-records";

/**
 * What nobody declared of a VIF that is being replaced: the engine hands a create nothing but the new inputs, so it
 * travels in the VM's `other_config`.
 */
export interface Carried {
  readonly owner: string;
  /** UUID of the VIF that had it. */
  readonly vif: string;
  readonly values: Partial<VifValues>;
  readonly otherConfig: Readonly<Record<string, string>>;
}

/** A record for a resource, and the VMs to remove it from. */
export interface CarriedFind {
  readonly record: Carried | undefined;
  readonly vms: readonly VmRecord[];
}

/** Before a VIF of ours is destroyed for a replacement: leaves what differs from a new VIF, and is not declared. */
export async function leaveCarried(
  host: HostContext,
  view: PoolView,
  vif: VifRecord,
  props: Props,
  owner: string,
): Promise<void> {
  const vm = vmOfVif(view, vif);
  const record = carriedOf(view, vif, props, owner);
  const isEmpty = Object.keys({ ...record.values, ...record.otherConfig }).length === 0;
  const stale = vmRecordsOf<Carried>(view, "carry", owner).map((found) => found.vm);
  await removeVmRecord(
    host,
    stale.filter((other) => isEmpty || other !== vm),
    "carry",
    owner,
  );
  if (vm !== undefined && !isEmpty) await writeVmRecord(host, vm, "carry", record);
}

/** The record that waits for a create of this resource, the one on the VIF's own VM first. */
export function carriedFor(host: HostContext, view: PoolView, vm: VmRecord | undefined, owner: string): CarriedFind {
  const found = vmRecordsOf<Carried>(view, "carry", owner);
  const best = found.find((one) => one.vm.ref === vm?.ref) ?? found[0];
  if (best !== undefined && best.record === undefined) {
    const { name_label, uuid } = best.vm;
    const key = vmRecordKey("carry", owner);
    host.warn(
      `The settings that VM ${quoted(name_label)} (${uuid}) kept for a replaced VIF (other_config:${key}) are unreadable; they were not carried over.`,
    );
  }
  return { record: withoutMarks(best?.record), vms: found.map((one) => one.vm) };
}

/** Somebody may have put keys of ours into the record; they would mark the new VIF as another one's. */
function withoutMarks(record: Carried | undefined): Carried | undefined {
  if (record === undefined) return undefined;
  const foreign = Object.entries(record.otherConfig).filter(([key]) => !isOurs(key));
  return { ...record, otherConfig: Object.fromEntries(foreign) };
}

/** What of a record is still to be applied to a VIF: nothing when it is the very VIF that it was written for. */
export function stillToCarry({ record }: CarriedFind, vif: VifRecord): Carried | undefined {
  return record?.vif === vif.uuid ? undefined : record;
}

function carriedOf(view: PoolView, vif: VifRecord, props: Props, owner: string): Carried {
  const declared = declaredParts(props, undefined);
  const { network: _network, currently_attached: _attached, ...now } = valuesOf(vif, view);
  const undeclared = differingSettings(now, newVifValues).filter((name) => !(name in declared.values));
  const values = Object.fromEntries(undeclared.map((name) => [name, now[name as keyof typeof now]]));
  const foreign = Object.entries(vif.other_config).filter(
    ([key]) => !isOurs(key) && !Object.hasOwn(declared.otherConfig, key),
  );
  return { owner, vif: vif.uuid, values, otherConfig: Object.fromEntries(foreign) };
}
