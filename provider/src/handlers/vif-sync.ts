import { XennetError } from "../core/errors";
import type { HostContext } from "../hosts/context";
import { isGone } from "../xapi/errors";
import type { NetworkRecord } from "../xapi/networks";
import * as vifs from "../xapi/vifs";
import type { VmRecord } from "../xapi/vms";
import type { CreateAnswer, Props } from "./handler";
import { newIncarnation, renderId } from "./identity";
import { ownershipMarks } from "./marks";
import { textOf } from "./props";
import { networkOf } from "./references";
import { recordFormer } from "./vif-former";
import { guestAddressOf, syncGuestAddress } from "./vif-guest";
import { outputsOf } from "./vif-observe";
import { deviceTaken, ownVifOf } from "./vif-search";

/** The body of create: finds a left-over of ours, takes over what is there, or makes a new one. */
export async function createVif(host: HostContext, vmRef: string, inputs: Props): Promise<CreateAnswer> {
  host.poolChanged();
  const { poolUuid } = await host.identity();
  const view = await host.poolView();
  const incarnation = newIncarnation();
  const marks = ownershipMarks(textOf(inputs, "owner") ?? "", incarnation);
  const vm = view.vms.find((candidate) => candidate.ref === vmRef) as VmRecord;
  const network = await networkOf(host, textOf(inputs, "network") ?? "");
  const isSeen = (uuid: string) => host.seenIds.has(renderId({ realm: poolUuid, own: uuid }));
  let vif = ownVifOf(view, { ...inputs, vmUuid: vm.uuid }, isSeen);
  if (vif === undefined) {
    const there = view.vifs.find((candidate) => candidate.VM === vmRef && candidate.device === inputs["device"]);
    if (there !== undefined) {
      const taken = deviceTaken(view, vm, inputs);
      if (taken !== undefined) throw new XennetError("DEVICE_TAKEN", taken.reason, { property: taken.property });
      const before = view.networks.find((candidate) => candidate.ref === there.network)?.uuid ?? "";
      await recordFormer(host, there, before, marks);
    }
    const ref = there?.ref ?? (await makeVif(host, vm, network, inputs, marks));
    vif = await vifs.getRecord(host.xapi, ref);
  }
  const id = renderId({ realm: poolUuid, own: vif.uuid });
  host.seenIds.add(id);
  try {
    return { id, outs: await syncVif(host, vif, inputs, incarnation, false) };
  } catch (error) {
    // The VIF exists: with its id the state keeps it, and the next up goes on from here.
    const outs = outputsOf(inputs, vif, vm, incarnation, "none");
    throw Object.assign(error as Error, { id, properties: outs, reasons: [(error as Error).message] });
  }
}

async function makeVif(
  host: HostContext,
  vm: VmRecord,
  network: NetworkRecord,
  inputs: Props,
  marks: Record<string, string>,
): Promise<string> {
  const ref = await vifs.create(host.xapi, {
    VM: vm.ref,
    network: network.ref,
    device: textOf(inputs, "device") ?? "0",
    MAC: textOf(inputs, "mac") ?? "",
    other_config: marks,
  });
  host.poolChanged();
  return ref;
}

/** Brings an existing VIF to what is declared: marks, network, address, plugged when its VM runs. */
export async function syncVif(
  host: HostContext,
  vif: vifs.VifRecord,
  inputs: Props,
  incarnation: string,
  addressWasOurs: boolean,
): Promise<Props> {
  const network = await networkOf(host, textOf(inputs, "network") ?? "");
  const marks = ownershipMarks(textOf(inputs, "owner") ?? "", incarnation);
  const missing = Object.entries(marks).filter(([key, value]) => vif.other_config[key] !== value);
  if (missing.length > 0) await vifs.setOtherConfig(host.xapi, vif.ref, { ...vif.other_config, ...marks });
  if (vif.network !== network.ref) await vifs.move(host.xapi, vif.ref, network.ref);
  host.poolChanged();
  const view = await host.poolView();
  const vm = view.vms.find((candidate) => candidate.ref === vif.VM) as VmRecord;
  const setter = await syncGuestAddress(host, vif, guestAddressOf(inputs["ipv4"]), addressWasOurs);
  const now = view.vifs.find((candidate) => candidate.ref === vif.ref) ?? vif;
  if (vm.power_state === "Running" && !now.currently_attached) await vifs.plug(host.xapi, vif.ref);
  host.poolChanged();
  return outputsOf(inputs, await vifs.getRecord(host.xapi, vif.ref), vm, incarnation, setter);
}

/** Unplugs when the VM runs, then destroys; already gone is fine. */
export async function destroyVif(host: HostContext, vif: vifs.VifRecord): Promise<void> {
  const vm = (await host.poolView()).vms.find((candidate) => candidate.ref === vif.VM);
  try {
    if (vm?.power_state === "Running" && vif.currently_attached) await vifs.unplug(host.xapi, vif.ref);
    await vifs.destroy(host.xapi, vif.ref);
  } catch (error) {
    if (!isGone(error)) throw error;
  } finally {
    host.poolChanged();
  }
}
