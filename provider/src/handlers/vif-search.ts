import { XennetError } from "../core/errors";
import type { PoolView } from "../hosts/pool-view";
import { describeOwner } from "../rules/owner";
import type { Problem } from "../validation/problem";
import type { VifRecord } from "../xapi/vifs";
import type { VmRecord } from "../xapi/vms";
import type { Props } from "./handler";
import { ownerKey } from "./marks";
import { textOf } from "./props";

/**
 * The VIF that carries this resource's mark. `other_config` is copied by VM.clone and VM.snapshot, so a mark counts only
 * on the intended VM; a VM revert makes the VIF anew with the same mark and another UUID.
 */
export function ownVifOf(
  view: PoolView,
  props: Props,
  isSeen: (uuid: string) => boolean = () => false,
): VifRecord | undefined {
  const owner = textOf(props, "owner") ?? "";
  const vm = view.vms.find((candidate) => candidate.uuid === props["vmUuid"]);
  const found = view.vifs.filter(
    (vif) => vif.VM === vm?.ref && vif.other_config[ownerKey] === owner && owner !== "" && !isSeen(vif.uuid),
  );
  if (found.length > 1) {
    const list = found.map((vif) => `device ${vif.device} (${vif.uuid})`).join(", ");
    throw new XennetError(
      "OWNER_AMBIGUOUS",
      `${describeOwner(owner)} owns ${found.length} VIFs of "${vm?.name_label}", expected one at most: ${list}. Destroy the ones that are too many with \`xe vif-destroy uuid=…\`, then run up again`,
    );
  }
  return found[0];
}

/** The reason why the device cannot be had, or `undefined` when it is free, ours, or may be taken over. */
export function deviceTaken(view: PoolView, vm: VmRecord, inputs: Props): Problem | undefined {
  const there = view.vifs.find((vif) => vif.VM === vm.ref && vif.device === inputs["device"]);
  if (there === undefined) return undefined;
  const owner = there.other_config[ownerKey];
  if (owner === inputs["owner"]) return undefined;
  const used = view.vifs.filter((vif) => vif.VM === vm.ref).map((vif) => vif.device);
  const network = view.networks.find((candidate) => candidate.ref === there.network)?.name_label ?? there.network;
  const what = `device "${there.device}" of VM "${vm.name_label}" has VIF ${there.uuid} on network "${network}"`;
  if (owner !== undefined) {
    const reason = `expected a free device, found that ${what}, which belongs to ${describeOwner(owner)}. Used devices: ${used.sort().join(", ")}`;
    return { property: "device", reason };
  }
  if (inputs["onDeviceConflict"] === "takeOver") return undefined;
  return {
    property: "device",
    reason: `expected a free device, found that ${what}. Set onDeviceConflict: "takeOver" to move that VIF to this network (destroy gives it back), or choose another device; used are ${used.sort().join(", ")}`,
  };
}
