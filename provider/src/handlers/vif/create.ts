import { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import { networkByUuid, type PoolView } from "../../hosts/pool-view";
import { XapiError } from "../../xapi/errors";
import * as vifs from "../../xapi/vifs";
import type { VmRecord } from "../../xapi/vms";
import { refuseTooNew } from "../abilities";
import type { CreateAnswer, Props } from "../handler";
import { renderId, stateVersion } from "../identity";
import { ownerKey, ownershipMarks, replacedKey } from "../marks";
import { plain, textOf } from "../props";
import { type Carried, carriedFor, stillToCarry } from "./carry";
import { explaining } from "./failures";
import { type DeclaredVif, newVifValues, settingsForCreate } from "./fields";
import { takeVif } from "./former";
import { refuseLosingUuid } from "./old-host";
import { newVifIncarnation } from "./owner";
import { finishRemaking } from "./remake";
import { pendingReplacement, removeForReplacement, restoreReplaced } from "./replace";
import { findPlace, ownVifOf } from "./search";
import { declaredVif, syncVif } from "./sync";
import { removeVmRecord } from "./vm-records";
import type { WholeVif } from "./whole-vif";

/** What the steps of one create share. */
interface Creation {
  readonly host: HostContext;
  readonly inputs: Props;
  readonly owner: string;
  readonly incarnation: string;
  readonly declared: DeclaredVif;
  readonly carried: Carried | undefined;
}

/**
 * The body of create: finds a left-over of ours, takes the VIF that is there, replaces it, or makes a new one. Each step
 * leaves on the host what the next run needs to go on from there.
 */
export async function createVif(host: HostContext, vmRef: string, inputs: Props): Promise<CreateAnswer> {
  host.poolChanged();
  const { poolUuid } = await host.identity();
  const owner = textOf(inputs, "owner") ?? "";
  await refuseTooNew(host, "VIF", inputs);
  await finishRemaking(host, [owner], inputs["plugged"] !== undefined);
  await undoElsewhere(host, vmRef, inputs, owner);
  const view = await host.poolView();
  const vm = view.vms.find((candidate) => candidate.ref === vmRef);
  if (vm === undefined) {
    const reason = `expected the VM ${quoted(textOf(inputs, "vm"))}, found that it is not in the pool any more. Correct vm, or make the VM again`;
    throw new XennetError("REFERENCE_UNKNOWN", reason, { property: "vm" });
  }
  const found = carriedFor(host, view, vm, owner);
  const incarnation = newVifIncarnation(vm.uuid);
  const declared = await declaredVif(host, inputs);
  const creation = { host, inputs, owner, incarnation, declared, carried: found.record };
  const isSeen = (uuid: string) => host.seenIds.has(renderId({ realm: poolUuid, own: uuid }));
  const leftOver = ownVifOf(view, { ...inputs, vmUuid: vm.uuid }, isSeen);
  const { ref, replacedOn } =
    leftOver === undefined ? await obtainVif(creation, view, vm) : await goOnWith(creation, view, vm, leftOver);
  const vif = await vifs.getRecord(host.xapi, ref);
  const id = renderId({ realm: poolUuid, own: vif.uuid });
  host.seenIds.add(id);
  try {
    // The VIF has the record now.
    if (replacedOn !== undefined) await removeVmRecord(host, [replacedOn], "replaced", owner);
    const carried = stillToCarry(found, vif);
    const outs = await syncVif(host, vif, inputs, { incarnation, view, declared, carried });
    await removeVmRecord(host, found.vms, "carry", owner);
    // A host that cannot move the VIF has made it anew.
    const madeId = renderId({ realm: poolUuid, own: textOf(outs, "uuid") ?? vif.uuid });
    host.seenIds.add(madeId);
    return { id: madeId, outs };
  } catch (error) {
    // The VIF exists: with its id the state keeps it, and the next up goes on from here.
    const outs = { uuid: vif.uuid, mac: vif.MAC, device: vif.device, vmUuid: vm.uuid, currentlyAttached: false };
    const unfinished = plain({ ...inputs, ...outs, drift: ["not finished"], incarnation, stateVersion });
    const { properties = unfinished } = error as { properties?: Props };
    throw Object.assign(error as Error, { id, properties, reasons: [(error as Error).message] });
  }
}

/** An interrupted replacement that this declaration does not go on with is undone first. */
async function undoElsewhere(host: HostContext, vmRef: string, inputs: Props, owner: string): Promise<void> {
  const view = await host.poolView();
  const pending = pendingReplacement(view, owner);
  if (pending === undefined) return;
  const { vm, record } = pending;
  const isSamePlace = vm.ref === vmRef && record.device === inputs["device"];
  if (isSamePlace && inputs["onDeviceConflict"] === "replace") return;
  const isOurs = (vif: vifs.VifRecord) => vif.VM === vm.ref && vif.other_config[ownerKey] === owner;
  const isRecordedElsewhere = view.vifs.some((vif) => vif.uuid === record.uuid || isOurs(vif));
  if (isRecordedElsewhere) await removeVmRecord(host, [vm], "replaced", owner);
  else await restoreReplaced(host, pending);
}

/**
 * What an interrupted create of this resource left, or one that the state has forgotten. Under `adopt` it is never one
 * that a destroy would destroy.
 */
async function goOnWith(creation: Creation, view: PoolView, vm: VmRecord, leftOver: vifs.VifRecord): Promise<Obtained> {
  const { inputs, owner } = creation;
  if (inputs["adopt"] === undefined) return { ref: leftOver.ref, replacedOn: pendingReplacement(view, owner)?.vm };
  const { there, refused } = findPlace(view, vm, inputs, [owner]);
  if (refused !== undefined) throw refused;
  if (there?.ref !== leftOver.ref) {
    const reason =
      `expected to adopt VIF ${there?.uuid} on device ${there?.device}, found that this resource has VIF ${leftOver.uuid} on device ${leftOver.device} ` +
      `of VM ${quoted(vm.name_label)} already, which is not in the state. Declare that device and destroy the resource first, ` +
      `or remove the VIF with \`xe vif-destroy uuid=${leftOver.uuid}\``;
    throw new XennetError("ADOPT_IMPOSSIBLE", reason, { property: "adopt" });
  }
  return takeThere(creation, view, there);
}

interface Obtained {
  readonly ref: string;
  /** The VM whose record of a replaced VIF has served. */
  readonly replacedOn?: VmRecord | undefined;
}

/** The VIF that is to be brought to what is declared. */
async function obtainVif(creation: Creation, view: PoolView, vm: VmRecord): Promise<Obtained> {
  const { host, inputs, owner } = creation;
  const { there, refused } = findPlace(view, vm, inputs, [owner]);
  if (refused !== undefined) throw refused;
  if (there === undefined) {
    const pending = pendingReplacement(view, owner);
    return { ref: await makeVif(creation, view, vm, pending?.record), replacedOn: pending?.vm };
  }
  if (inputs["onDeviceConflict"] !== "replace") {
    return takeThere(creation, view, there);
  }
  const record = await removeForReplacement(host, view, vm, there, owner);
  try {
    return { ref: await makeVif(creation, view, vm, record), replacedOn: vm };
  } catch (error) {
    // XAPI refused ours, and without a resource in the state nobody would put the other one back.
    if (error instanceof XapiError) await restoreReplaced(host, { vm, record });
    throw error;
  }
}

async function takeThere(creation: Creation, view: PoolView, there: vifs.VifRecord): Promise<Obtained> {
  const { host, inputs, owner, incarnation, declared } = creation;
  await refuseLosingUuid(host, view, there, inputs, declared.values.network);
  await takeVif(host, view, there, declared, ownershipMarks(owner, incarnation));
  return { ref: there.ref };
}

async function makeVif(
  { host, inputs, owner, incarnation, declared, carried }: Creation,
  view: PoolView,
  vm: VmRecord,
  replaced: WholeVif | undefined,
): Promise<string> {
  const network = networkByUuid(view, declared.values.network);
  const values = { ...newVifValues, ...carried?.values, ...declared.values };
  const device = textOf(inputs, "device") ?? "0";
  const place = { vmUuid: vm.uuid, vmName: vm.name_label, device, network: network?.name_label ?? "" };
  const ref = await explaining(`made on network ${quoted(place.network)}`, place, () =>
    vifs.create(host.xapi, {
      ...{ VM: vm.ref, network: network?.ref ?? "", device, MAC: textOf(inputs, "mac") ?? "" },
      ...settingsForCreate(values),
      other_config: {
        ...carried?.otherConfig,
        ...declared.otherConfig,
        ...(replaced === undefined ? {} : { [replacedKey]: JSON.stringify(replaced) }),
        ...ownershipMarks(owner, incarnation),
      },
    }),
  );
  host.poolChanged();
  return ref;
}
