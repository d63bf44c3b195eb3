import { XennetError } from "../../core/errors";
import type { HostContext } from "../../hosts/context";
import { vmOfVif } from "../../hosts/pool-view";
import { isUnknown } from "../../validation/unknown";
import type { VifRecord } from "../../xapi/vifs";
import { refuseTooNew } from "../abilities";
import { inputsOfExisting, isOnlyRead, notFound } from "../existing";
import type { Handler, Props } from "../handler";
import { ownPartOf, renderId } from "../identity";
import { preflight } from "../preflight";
import { changedKeys, diffAnswer, equal, textOf, textsOf, withDrift } from "../props";
import { vmOf } from "../references";
import { assertSameRealm } from "../same-realm";
import { carriedFor, stillToCarry } from "./carry";
import { checkVifInputs, normalisedVif } from "./check";
import { checkVifOnHost } from "./check-host";
import { createVif } from "./create";
import { deleteVif } from "./delete";
import { inputsOf, observedInputs, outputsOf, placeOf } from "./observe";
import { refuseLosingUuid } from "./old-host";
import { newVifIncarnation, refuseOthers } from "./owner";
import { finishRemaking, isBeingRemade } from "./remake";
import { pendingReplacement } from "./replace";
import { adoptedUuidOf, ownVifOf } from "./search";
import { declaredVif, syncVif } from "./sync";
import { removeVmRecord } from "./vm-records";

const inPlace = [
  ...["owner", "network", "vm", "lockingMode", "ipv4Allowed", "ipv6Allowed", "rateLimitKBytesPerSecond", "mtu"],
  ...["ethtool", "otherConfig", "plugged", "ipv4", "onDeviceConflict", "adopt"],
];

/** Drift that the next update mends: the VIF is being made anew on a network that the host cannot move it to. */
const halfMoved = "on its way to another network";

/** Drift that only a replacement can mend: a destroy was interrupted after our VIF was gone. */
const halfPutBack = "destroyed, but the VIF it had replaced was not put back yet";

/** A VM's network interface: handler of the resource XenVif. */
export const xenVifHandler: Handler = {
  async check(host, olds, given) {
    const news = normalisedVif(given);
    const before = textOf(olds, "owner");
    // A refresh that found the mark removed has recorded an empty one; elsewhere a VIF without a mark is somebody's.
    const isSamePlace = equal([olds["vm"], olds["device"]], [news["vm"], news["device"]]);
    const isOwn = before !== undefined && (before !== "" || isSamePlace);
    const known = before === undefined ? formerOwners(host, news) : [];
    const owners = [textOf(news, "owner"), isOwn ? before : undefined, ...known].filter((owner) => owner !== undefined);
    for (const owner of owners) if (owner !== "") host.declaredOwners.set(owner, owners[0] ?? owner);
    const failures = checkVifInputs(news);
    const { reachable, problems } = await preflight(host, "xapi");
    failures.push(...problems);
    if (reachable && failures.length === 0) failures.push(...(await checkVifOnHost(host, news, owners)));
    return { inputs: news, failures };
  },

  async diff(host, id, olds, news) {
    host.seenIds.add(id);
    const replaces = changedKeys(olds, news, ["host"]);
    if (replaces.length === 0) await assertSameRealm(host, id, "pool");
    // Not declared: the one it has, for both.
    if (news["device"] !== undefined) replaces.push(...changedKeys(olds, news, ["device"]));
    if (news["mac"] !== undefined && isOtherMac(olds, news)) replaces.push("mac");
    if (isUnknown(news["vm"]) || (!equal(olds["vm"], news["vm"]) && !(await isSameVm(host, olds, news))))
      replaces.push("vm");
    // A network that is itself being replaced takes the VIF with it; any other network is a move in place.
    if (isUnknown(news["network"])) replaces.push("network");
    const adopted = adoptedUuidOf(news);
    if (adopted !== undefined && adopted !== olds["uuid"]) replaces.push("adopt");
    const changed = changedKeys(ordered(olds), ordered(news), inPlace);
    const drift = textsOf(olds, "drift");
    if (drift.includes(halfPutBack)) replaces.push("device");
    if (drift.length > 0) changed.push("drift");
    // Under a network that is replaced the VIF is deleted before its own check: this question is all that comes before.
    const owner = textOf(news, "owner") ?? "";
    if (replaces.length > 0) host.declaredOwners.set(textOf(olds, "owner") ?? owner, owner);
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
    const view = await host.poolView();
    const vif = await findVif(host, id, props);
    const isHalfMoved = isBeingRemade(view, [textOf(props, "owner") ?? ""]);
    if (vif === undefined) {
      if (isHalfMoved) return { id, props: { ...props, drift: [halfMoved] } };
      const isHalfPutBack = pendingReplacement(view, textOf(props, "owner") ?? "") !== undefined;
      const drift = [halfPutBack];
      if (isHalfPutBack) return { id, props: { ...props, drift }, inputs: withDrift(inputsOf(props), drift) };
      return notFound("VIF", id, props);
    }
    if (isOnlyRead(props)) {
      const inputs = inputsOfExisting(props);
      return { id, props: { ...(await outputsOf(view, vif, inputs, "")), ...placeOf(view, vif, poolUuid) }, inputs };
    }
    const inputs = await observedInputs(host, view, vif, props);
    const outs = await outputsOf(view, vif, inputs, textOf(props, "incarnation") ?? "");
    const found = isHalfMoved ? { ...outs, drift: [...textsOf(outs, "drift"), halfMoved] } : outs;
    const foundId = renderId({ realm: poolUuid, own: vif.uuid });
    const shown = withDrift(inputs, textsOf(found, "drift"));
    const isAsRecorded = equal(shown, withDrift(inputsOf(props), textsOf(props, "drift")));
    return { id: foundId, props: found, ...(isAsRecorded ? {} : { inputs: shown }) };
  },

  async update(host, id, olds, news) {
    host.seenIds.add(id);
    host.poolChanged();
    await refuseTooNew(host, "VIF", news);
    await finishRemaking(host, ownersOf(olds, news), news["plugged"] !== undefined);
    const vif = await findVif(host, id, olds);
    if (vif === undefined) {
      throw new XennetError(
        "RESOURCE_GONE",
        `the VIF ${id} is not there any more; run \`pulumi refresh\`, then up again`,
      );
    }
    refuseOthers(vif, olds, news);
    const view = await host.poolView();
    const owner = textOf(news, "owner") ?? "";
    const vm = vmOfVif(view, vif);
    const found = carriedFor(host, view, vm, owner);
    const incarnation = textOf(olds, "incarnation") ?? newVifIncarnation(vm?.uuid ?? "");
    try {
      const declared = await declaredVif(host, news);
      await refuseLosingUuid(host, view, vif, news, declared.values.network);
      const carried = stillToCarry(found, vif);
      const outs = await syncVif(host, vif, news, { incarnation, view, declared, olds, carried });
      await removeVmRecord(host, found.vms, "carry", owner);
      return { outs };
    } catch (error) {
      // Everything but the plugging is done; anything else leaves the recorded properties as they are.
      if ((error as { properties?: unknown }).properties === undefined) throw error;
      throw Object.assign(error as Error, { id, reasons: [(error as Error).message] });
    }
  },

  async delete(host, id, props) {
    host.poolChanged();
    const work = async () => {
      await finishRemaking(host, ownersOf(props), props["plugged"] !== undefined);
      return deleteVif(host, await findVif(host, id, props), props);
    };
    await host.exclusively(`vm:${textOf(props, "vmUuid")}`, work);
  },
};

/**
 * Whose this resource was before it was renamed. Pulumi asks twice about one that is to be replaced, the second time without what
 * it was, while the VIF still carries the former owner.
 */
function formerOwners(host: HostContext, news: Props): string[] {
  const owner = textOf(news, "owner");
  return [...host.declaredOwners].flatMap(([former, now]) => (now === owner && former !== owner ? [former] : []));
}

/** The marks that a VIF may have, whose declaration these are. */
function ownersOf(...declarations: readonly Props[]): string[] {
  return declarations.map((props) => textOf(props, "owner") ?? "");
}

/** By UUID; or by mark and VM, as a VM revert makes the VIF anew with another UUID. */
async function findVif(host: HostContext, id: string, props: Props): Promise<VifRecord | undefined> {
  const uuid = ownPartOf(id, (await host.identity()).poolUuid, "pool", host.profile);
  const view = await host.poolView();
  return view.vifs.find((vif) => vif.uuid === uuid) ?? ownVifOf(view, props);
}

function isOtherMac(olds: Props, news: Props): boolean {
  const [before, wanted] = [textOf(olds, "mac"), news["mac"]];
  return typeof wanted !== "string" || !equal(before?.toLowerCase(), wanted.toLowerCase());
}

/** Another text may name the same VM: its UUID instead of its name, or its new name. */
async function isSameVm(host: HostContext, olds: Props, news: Props): Promise<boolean> {
  return (await vmOf(host, textOf(news, "vm") ?? "")).uuid === olds["vmUuid"];
}

/** XAPI's sets have no order. */
function ordered(props: Props): Props {
  const sets = ["ipv4Allowed", "ipv6Allowed"].filter((key) => Array.isArray(props[key]) && !isUnknown(props[key]));
  return { ...props, ...Object.fromEntries(sets.map((key) => [key, textsOf(props, key).sort()])) };
}
