import { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import { networkOfVif, type PoolView, vmOfVif } from "../../hosts/pool-view";
import { describeOwner } from "../../rules/owner";
import type { VifRecord } from "../../xapi/vifs";
import type { VmRecord } from "../../xapi/vms";
import { formerIn } from "../former";
import type { Props } from "../handler";
import { ownerKey } from "../marks";
import { textOf } from "../props";
import { bearerOf, describeBearer, hasCopiedMarks, isOwn } from "./owner";

/**
 * The VIF that carries this resource's mark. `other_config` is copied by VM.clone and VM.snapshot, so a mark counts only
 * on the VM it was written for; a VM revert makes the VIF anew with the same mark and another UUID.
 */
export function ownVifOf(
  view: PoolView,
  props: Props,
  isSeen: (uuid: string) => boolean = () => false,
): VifRecord | undefined {
  const owner = textOf(props, "owner") ?? "";
  const vm = view.vms.find((candidate) => candidate.uuid === props["vmUuid"]);
  const found = view.vifs.filter(
    (vif) =>
      vif.VM === vm?.ref &&
      vif.other_config[ownerKey] === owner &&
      owner !== "" &&
      !isSeen(vif.uuid) &&
      !hasCopiedMarks(view, vif),
  );
  if (found.length > 1) {
    const list = found.map((vif) => `device ${vif.device} (${vif.uuid})`).join(", ");
    throw new XennetError(
      "OWNER_AMBIGUOUS",
      `${describeOwner(owner)} owns ${found.length} VIFs of ${quoted(vm?.name_label)}, expected one at most: ${list}. Destroy the ones that are too many with \`xe vif-destroy uuid=…\`, then run up again`,
    );
  }
  return found[0];
}

/** What a declaration finds in the place it names. */
export interface Found {
  /** The VIF to adopt, take over, replace or go on with. */
  readonly there?: VifRecord;
  /** Why the declaration cannot be had. */
  readonly refused?: XennetError;
}

/**
 * Looks at the device or the VIF that is declared. `owners` are the resource's own marks, old and new; an empty one says
 * that its mark was found removed by hand on this very place, so that a VIF without any counts as its own.
 */
export function findPlace(view: PoolView, vm: VmRecord, inputs: Props, owners: readonly string[]): Found {
  const found = inputs["adopt"] === undefined ? onDevice(view, vm, inputs, owners) : toAdopt(view, vm, inputs, owners);
  if (found.refused !== undefined || found.there === undefined) return found;
  const unlike = unlikeDeclared(view, found.there, inputs, owners);
  return unlike === undefined ? found : { refused: unlike };
}

function onDevice(view: PoolView, vm: VmRecord, inputs: Props, owners: readonly string[]): Found {
  const there = vifsOf(view, vm).find((vif) => vif.device === inputs["device"]);
  if (there === undefined) return {};
  if (isOwn(view, there, owners)) return { there };
  const bearer = bearerOf(there);
  const used = usedDevices(view, vm);
  const what = `device ${quoted(there.device)} of VM ${quoted(vm.name_label)} has ${described(view, there)}`;
  if (bearer !== undefined) {
    const reason = `expected a free device, found that ${what}, which belongs to ${describeBearer(view, there, bearer)}. Choose another device (used are ${used}), or take it out of the other declaration first`;
    return { refused: new XennetError("DEVICE_TAKEN", reason, { property: "device" }) };
  }
  if (inputs["onDeviceConflict"] === "takeOver" || inputs["onDeviceConflict"] === "replace") return { there };
  const reason =
    `expected a free device, found that ${what}. Set onDeviceConflict: "takeOver" to move that VIF to this network (destroy gives it back), ` +
    `or "replace" to have another VIF in its place (destroy puts it back), or choose another device; used are ${used}`;
  return { refused: new XennetError("DEVICE_TAKEN", reason, { property: "device" }) };
}

function toAdopt(view: PoolView, vm: VmRecord, inputs: Props, owners: readonly string[]): Found {
  const uuid = adoptedUuidOf(inputs);
  const there =
    uuid === undefined
      ? vifsOf(view, vm).find((vif) => vif.device === inputs["device"])
      : view.vifs.find((vif) => vif.uuid === uuid);
  const wanted = uuid === undefined ? `a VIF on device ${inputs["device"]}` : `the VIF ${uuid}`;
  const refused = (property: string, found: string) => ({
    refused: new XennetError("ADOPT_IMPOSSIBLE", `expected ${wanted} of VM ${quoted(vm.name_label)}, found ${found}`, {
      property,
    }),
  });
  const has = vifsOf(view, vm).map((vif) => `device ${vif.device} (${vif.uuid})`);
  const list = `the VM has: ${has.join(", ") || "none"}`;
  if (there === undefined) return refused("adopt", `no such VIF; ${list}. Leave adopt out to have one made`);
  if (there.VM !== vm.ref) {
    const other = vmOfVif(view, there)?.name_label;
    const whose = other === undefined ? "a snapshot, a template or the control domain" : `${quoted(other)}`;
    return refused("adopt", `that it belongs to ${whose}; ${list}`);
  }
  const bearer = bearerOf(there);
  if (bearer !== undefined && !isOwn(view, there, owners)) {
    const todo = hasCopiedMarks(view, there) ? "" : ", which has to let go of it first";
    return refused("adopt", `that it belongs to ${describeBearer(view, there, bearer)}${todo}`);
  }
  if (uuid !== undefined && inputs["device"] !== undefined && inputs["device"] !== there.device) {
    return refused("device", `that it has device ${there.device}; leave device out, or correct it`);
  }
  return { there };
}

/** A VIF that stays the one it is keeps its MAC. */
function unlikeDeclared(
  view: PoolView,
  there: VifRecord,
  inputs: Props,
  owners: readonly string[],
): XennetError | undefined {
  const mac = textOf(inputs, "mac");
  if (mac === undefined || mac.toLowerCase() === there.MAC.toLowerCase()) return undefined;
  const isOurs = isOwn(view, there, owners);
  const isAdopted = inputs["adopt"] !== undefined;
  const takesOver = isAdopted || inputs["onDeviceConflict"] === "takeOver";
  const stays = isOurs ? formerIn("VIF", there.uuid, there.other_config) !== undefined && takesOver : takesOver;
  if (!stays) return undefined;
  const how = isAdopted ? "adopting" : 'onDeviceConflict: "takeOver"';
  return new XennetError(
    "MAC_FIXED",
    `expected the MAC address ${mac}, found that VIF ${there.uuid} on device ${there.device} has ${there.MAC}, and ${how} keeps it. ` +
      `Leave mac out, or set onDeviceConflict: "replace"${isAdopted ? " instead of adopt" : ""} to have another VIF in its place`,
    { property: "mac" },
  );
}

/** `adopt: { uuid }`, in XAPI's lower case. */
export function adoptedUuidOf(inputs: Props): string | undefined {
  const adopt = inputs["adopt"];
  if (adopt === null || typeof adopt !== "object") return undefined;
  const { uuid } = adopt as { uuid?: unknown };
  return typeof uuid === "string" ? uuid.toLowerCase() : undefined;
}

function vifsOf(view: PoolView, vm: VmRecord): VifRecord[] {
  return view.vifs.filter((vif) => vif.VM === vm.ref);
}

function usedDevices(view: PoolView, vm: VmRecord): string {
  const devices = vifsOf(view, vm).map((vif) => Number(vif.device));
  return devices.sort((a, b) => a - b).join(", ");
}

function described(view: PoolView, vif: VifRecord): string {
  const network = networkOfVif(view, vif)?.name_label ?? vif.network;
  return `VIF ${vif.uuid} on network ${quoted(network)}`;
}
