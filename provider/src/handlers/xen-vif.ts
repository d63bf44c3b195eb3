import { XennetError } from "../core/errors";
import type { HostContext } from "../hosts/context";
import type { Problem } from "../validation/problem";
import { isUnknown } from "../validation/unknown";
import { isGone } from "../xapi/errors";
import type { NetworkRecord } from "../xapi/networks";
import * as vifs from "../xapi/vifs";
import type { VmRecord } from "../xapi/vms";
import type { Handler, Props } from "./handler";
import { newIncarnation, ownPartOf, renderId, stateVersion } from "./identity";
import { incarnationKey, ownerKey, ownershipMarks } from "./marks";
import { preflight } from "./preflight";
import { changedKeys, diffAnswer, equal, plain, textOf, textsOf } from "./props";
import { networkOf, vmOf } from "./references";
import { checkVifInputs, normalisedVif } from "./vif-check";
import { formerOf, giveBack, hasAddress, recordFormer } from "./vif-former";
import { canSetAddress, guestAddressOf, syncGuestAddress } from "./vif-guest";
import { deviceTaken, ownVifOf } from "./vif-search";

/** A VM's network interface: handler of the resource XenVif. */
export const xenVifHandler: Handler = {
  async check(host, _olds, given) {
    const news = normalisedVif(given);
    const failures = checkVifInputs(news);
    const { reachable, problems } = await preflight(host, "xapi");
    failures.push(...problems);
    if (reachable && failures.length === 0) failures.push(...(await checkOnHost(host, news)));
    return { inputs: news, failures };
  },

  async diff(host, id, olds, news) {
    host.seenIds.add(id);
    const replaces = changedKeys(olds, news, ["host", "device"]);
    if (news["mac"] !== undefined && isOtherMac(olds, news)) replaces.push("mac");
    if (isUnknown(news["vm"]) || (olds["vm"] !== news["vm"] && !(await isSameVm(host, olds, news))))
      replaces.push("vm");
    // A network that is itself being replaced takes the VIF with it; any other network is a move in place.
    if (isUnknown(news["network"])) replaces.push("network");
    const changed = changedKeys(olds, news, ["owner", "network", "vm", "ipv4", "onDeviceConflict"]);
    if (textsOf(olds, "drift").length > 0) changed.push("drift");
    return diffAnswer(changed, replaces);
  },

  async create(host, inputs) {
    const vm = await vmOf(host, textOf(inputs, "vm") ?? "");
    // XAPI's allowed devices and our look at them are not one step: one create at a time for a VM.
    return host.exclusively(`vm:${vm.uuid}`, () => createVif(host, vm.ref, inputs));
  },

  async read(host, id, props) {
    host.seenIds.add(id);
    const { poolUuid } = await host.identity();
    const uuid = ownPartOf(id, poolUuid, "pool", host.profile);
    const view = await host.poolView();
    const vif = view.vifs.find((candidate) => candidate.uuid === uuid) ?? ownVifOf(view, props);
    if (vif === undefined) return { id: "", props: {}, inputs: {} };
    const found = await observedProps(host, vif, props);
    return { id: renderId({ realm: poolUuid, own: vif.uuid }), props: found, inputs: inputsOf(found) };
  },

  async update(host, id, olds, news) {
    host.seenIds.add(id);
    host.poolChanged();
    const vif = await findVif(host, id);
    if (vif === undefined) {
      throw new XennetError(
        "RESOURCE_GONE",
        `the VIF ${id} is not there any more; run \`pulumi refresh\`, then up again`,
      );
    }
    const incarnation = textOf(olds, "incarnation") ?? newIncarnation();
    return { outs: await syncVif(host, vif, news, incarnation, olds["ipv4SetBy"] === "xapi") };
  },

  async delete(host, id, props) {
    host.poolChanged();
    const vif = await findVif(host, id);
    if (vif === undefined) return;
    if (vif.other_config[incarnationKey] !== textOf(props, "incarnation")) {
      host.warn(`VIF ${vif.uuid} carries other marks than this stack's; it was left as it is.`);
      return;
    }
    const former = formerOf(vif);
    if (former !== undefined) return giveBack(host, vif, former);
    await destroyVif(host, vif);
  },
};

async function findVif(host: HostContext, id: string): Promise<vifs.VifRecord | undefined> {
  const uuid = ownPartOf(id, (await host.identity()).poolUuid, "pool", host.profile);
  return (await host.poolView()).vifs.find((vif) => vif.uuid === uuid);
}

/** What the host says about the references: unknown or ambiguous names, and a device that is taken. */
async function checkOnHost(host: HostContext, news: Props): Promise<Problem[]> {
  const [vmText, networkText] = [textOf(news, "vm"), textOf(news, "network")];
  const failures: Problem[] = [];
  const look = async <T>(find: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await find();
    } catch (error) {
      if (!(error instanceof XennetError) || error.property === undefined) throw error;
      failures.push({ property: error.property, reason: `${error.message} (${error.code})` });
      return undefined;
    }
  };
  const vm = vmText && !isUnknown(vmText) ? await look(() => vmOf(host, vmText)) : undefined;
  if (networkText && !isUnknown(networkText)) await look(() => networkOf(host, networkText));
  if (vm !== undefined && !isUnknown(news["device"])) {
    const taken = deviceTaken(await host.poolView(), vm, news);
    if (taken !== undefined) failures.push(taken);
  }
  return failures;
}

/** The body of create: finds a left-over of ours, takes over what is there, or makes a new one. */
async function createVif(host: HostContext, vmRef: string, inputs: Props) {
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
async function syncVif(
  host: HostContext,
  vif: vifs.VifRecord,
  inputs: Props,
  incarnation: string,
  addressWasOurs: boolean,
): Promise<Props> {
  const network = await networkOf(host, textOf(inputs, "network") ?? "");
  const marks = ownershipMarks(textOf(inputs, "owner") ?? "", incarnation);
  const missing = Object.entries(marks).filter(([key, value]) => vif.other_config[key] !== value);
  if (missing.length > 0) await host.xapi.call("VIF.set_other_config", vif.ref, { ...vif.other_config, ...marks });
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

async function destroyVif(host: HostContext, vif: vifs.VifRecord): Promise<void> {
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

function outputsOf(inputs: Props, vif: vifs.VifRecord, vm: VmRecord, incarnation: string, ipv4SetBy: string): Props {
  return plain({
    ...inputs,
    ...{ uuid: vif.uuid, mac: vif.MAC, vmUuid: vm.uuid, currentlyAttached: vif.currently_attached },
    ...{ takenOver: formerOf(vif) !== undefined, ipv4SetBy, drift: [], incarnation, stateVersion },
  });
}

/** The properties as they are now; what cannot be said in terms of inputs goes into `drift`. */
async function observedProps(host: HostContext, vif: vifs.VifRecord, props: Props): Promise<Props> {
  const view = await host.poolView();
  const vm = view.vms.find((candidate) => candidate.ref === vif.VM);
  const network = view.networks.find((candidate) => candidate.ref === vif.network);
  const declared = textOf(props, "network") ?? "";
  const { poolUuid } = await host.identity();
  const networkId = renderId({ realm: poolUuid, own: network?.uuid ?? "" });
  const isDeclared = [networkId, network?.uuid, network?.name_label].includes(declared);
  const drift: string[] = [];
  if (vm?.power_state === "Running" && !vif.currently_attached) drift.push("not plugged, though its VM runs");
  const wanted = guestAddressOf(props["ipv4"]);
  const isSet = wanted !== undefined && hasAddress(vif, wanted);
  if (wanted !== undefined && !isSet && vm !== undefined && (await canSetAddress(host, vm))) {
    drift.push(`the guest's address ${wanted.address} is not set through XAPI`);
  }
  return plain({
    ...props,
    owner: vif.other_config[ownerKey] ?? "",
    network: isDeclared ? declared : networkId,
    ...{ device: vif.device, mac: vif.MAC, uuid: vif.uuid, currentlyAttached: vif.currently_attached },
    ipv4SetBy: wanted === undefined ? "none" : isSet ? "xapi" : "guest",
    takenOver: formerOf(vif) !== undefined,
    drift,
  });
}

const outputOnly = new Set([
  ...["uuid", "vmUuid", "currentlyAttached", "ipv4SetBy", "takenOver", "drift", "incarnation", "stateVersion"],
  // A MAC nobody declared is XAPI's; as an input it would pin it.
  "mac",
]);

function inputsOf(props: Props): Props {
  return Object.fromEntries(Object.entries(props).filter(([key]) => !outputOnly.has(key)));
}

function isOtherMac(olds: Props, news: Props): boolean {
  const [before, wanted] = [textOf(olds, "mac"), news["mac"]];
  return typeof wanted !== "string" || !equal(before?.toLowerCase(), wanted.toLowerCase());
}

/** Another text may name the same VM: its UUID instead of its name, or its new name. */
async function isSameVm(host: HostContext, olds: Props, news: Props): Promise<boolean> {
  return (await vmOf(host, textOf(news, "vm") ?? "")).uuid === olds["vmUuid"];
}
