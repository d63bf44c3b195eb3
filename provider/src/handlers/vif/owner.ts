import { XennetError } from "../../core/errors";
import { type PoolView, vmOfVif } from "../../hosts/pool-view";
import { describeOwner } from "../../rules/owner";
import type { VifRecord } from "../../xapi/vifs";
import { formerIn } from "../former";
import type { Props } from "../handler";
import { newIncarnation } from "../identity";
import { formerKey, incarnationKey, ownerKey, replacedKey } from "../marks";

/** Names the VM, because VM.clone copies a VIF's marks to another VM, and VM.snapshot and a revert keep them on this one. */
export function newVifIncarnation(vmUuid: string): string {
  return `${newIncarnation()}@${vmUuid}`;
}

/** True for marks that came with a clone of the VM they were written for. */
export function hasCopiedMarks(view: PoolView, vif: VifRecord): boolean {
  const madeFor = vif.other_config[incarnationKey]?.split("@")[1];
  return madeFor !== undefined && madeFor !== vmOfVif(view, vif)?.uuid;
}

/** The resource a VIF belongs to: by its mark, or by the record of former values that it left. */
export function bearerOf(vif: VifRecord): string | undefined {
  return vif.other_config[ownerKey] ?? formerIn("VIF", vif.uuid, vif.other_config)?.owner;
}

/** Whether a VIF is one of these owners'; an empty owner stands for a VIF without any mark. */
export function isOwn(view: PoolView, vif: VifRecord, owners: readonly string[]): boolean {
  return owners.includes(bearerOf(vif) ?? "") && !hasCopiedMarks(view, vif);
}

/** Whose it is that the VIF cannot be had, and what to do about it. */
export function describeBearer(view: PoolView, vif: VifRecord, bearer: string): string {
  if (!hasCopiedMarks(view, vif)) return describeOwner(bearer);
  return (
    `${describeOwner(bearer)} by marks that were copied when its VM was cloned; to use it, remove the keys ` +
    `${ownerKey}, ${incarnationKey}, ${formerKey} and ${replacedKey} with ` +
    `\`xe vif-param-remove uuid=${vif.uuid} param-name=other-config param-key=…\``
  );
}

/**
 * Refuses a VIF that carries another resource's mark now. Ours is the new owner's or, after a rename, the one that came
 * with our incarnation; no mark at all is written anew.
 */
export function refuseOthers(vif: VifRecord, recorded: Props, news: Props): void {
  const incarnation = vif.other_config[incarnationKey];
  if (incarnation !== undefined && incarnation === recorded["incarnation"]) return;
  const bearer = bearerOf(vif);
  if (bearer === undefined || bearer === news["owner"]) return;
  throw new XennetError(
    "VIF_FOREIGN",
    `expected a VIF that no other resource manages, found that VIF ${vif.uuid} belongs to ${describeOwner(bearer)}. ` +
      `Take it out of that stack first; if that stack is gone, remove the keys ${ownerKey}, ${incarnationKey} and ${formerKey} with \`xe vif-param-remove\``,
  );
}
