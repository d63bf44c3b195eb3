import { sameName } from "../../core/same-name";
import type { HostContext } from "../../hosts/context";
import type { VifRecord } from "../../xapi/vifs";
import { formerIn } from "../former";
import type { Props } from "../handler";
import { incarnationKey } from "../marks";
import { textOf } from "../props";
import { carriedFor, leaveCarried } from "./carry";
import { giveBack } from "./former";
import { pendingReplacement, putBackReplaced, replacedBy, restoreReplaced } from "./replace";
import { removeVmRecord } from "./vm-records";
import { destroyVif } from "./whole-vif";

/** The body of delete: gives back what was there, puts back what was replaced, destroys what we made. */
export async function deleteVif(host: HostContext, vif: VifRecord | undefined, props: Props): Promise<void> {
  const owner = textOf(props, "owner") ?? "";
  const incarnation = textOf(props, "incarnation");
  if (vif === undefined) return finishPuttingBack(host, owner, incarnation);
  if (incarnation === undefined || vif.other_config[incarnationKey] !== incarnation) {
    host.warn(`VIF ${vif.uuid} carries other marks than this stack's; it was left as it is.`);
    return;
  }
  const former = formerIn("VIF", vif.uuid, vif.other_config);
  if (former !== undefined) return giveBack(host, vif, former);
  await carryOrForget(host, vif, props, owner);
  const view = await host.poolView();
  const replaced = replacedBy(view, vif);
  if (replaced === undefined) await destroyVif(host, view, vif);
  else await putBackReplaced(host, view, vif, replaced, owner, incarnation);
}

/**
 * Nobody tells whether this is for a replacement or for good. A resource that the program of this run declares was
 * checked before; so its settings are kept for the create that comes next. Anything else leaves no trace.
 */
async function carryOrForget(host: HostContext, vif: VifRecord, props: Props, owner: string): Promise<void> {
  const view = await host.poolView();
  const declaredAs = host.declaredOwners.get(owner);
  if (declaredAs !== undefined) return leaveCarried(host, view, vif, props, declaredAs);
  await removeVmRecord(host, carriedFor(host, view, undefined, owner).vms, "carry", owner);
}

/** An earlier destroy ended between the two VIFs. */
async function finishPuttingBack(host: HostContext, owner: string, incarnation: string | undefined): Promise<void> {
  const pending = pendingReplacement(await host.poolView(), owner);
  if (pending === undefined || !sameName(pending.record.givenBackBy, incarnation)) return;
  await restoreReplaced(host, pending);
}
