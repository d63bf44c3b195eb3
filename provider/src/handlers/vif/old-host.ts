import type { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import { sameName } from "../../core/same-name";
import type { HostContext } from "../../hosts/context";
import { networkOfVif, type PoolView, vmOfVif } from "../../hosts/pool-view";
import type { Release } from "../../hosts/release";
import { describeOwner } from "../../rules/owner";
import type { Problem } from "../../validation/problem";
import type { VifRecord } from "../../xapi/vifs";
import type { VmRecord } from "../../xapi/vms";
import { can, problemOf, sinceOf, tooOldFor } from "../abilities";
import type { Props } from "../handler";
import { textOf } from "../props";
import type { Declared } from "./check-host";
import { adoptedUuidOf } from "./search";

/** What a declaration comes to on a host that is older than the call for it: told in the preview, or refused. */
export async function checkOldHost(host: HostContext, declared: Declared): Promise<Problem[]> {
  const { news, vm } = declared;
  const { release } = await host.identity();
  const name = describeOwner(textOf(news, "owner") ?? "");
  if (news["ipv4"] !== undefined && !(await can(host, "guestAddress"))) {
    host.warn(
      `${name}: ${release.name} sets no address in guests (hosts do since ${sinceOf("guestAddress")}), so the administrator of VM ${quoted(vm.name_label)} has to set ipv4 there; the output guestSetup has the text.`,
    );
  }
  const { kept } = declared;
  if (kept === undefined || !isElsewhere(declared) || (await can(host, "move"))) return [];
  if (adoptedUuidOf(news) !== undefined) return [problemOf(await uuidNotKept(host))];
  host.warn(`${name}: ${madeAnew(release, kept, vm)}`);
  return [];
}

/** True when a VIF can get to a network, by its UUID, only by being made anew; without one it stays where it is. */
export async function hasToBeMadeAnew(
  host: HostContext,
  view: PoolView,
  vif: VifRecord,
  network: string | undefined,
): Promise<boolean> {
  const stays = network === undefined || networkOfVif(view, vif)?.uuid === network;
  return !stays && !(await can(host, "move"));
}

/** For what gives a VIF back: no check comes before a destroy. */
export async function warnOfGivingBack(host: HostContext, view: PoolView, vif: VifRecord, network: string | undefined) {
  const vm = vmOfVif(view, vif);
  if (vm === undefined || !(await hasToBeMadeAnew(host, view, vif, network))) return;
  host.warn(madeAnew((await host.identity()).release, vif, vm));
}

function madeAnew(release: Release, vif: VifRecord, vm: VmRecord): string {
  return (
    `${release.name} cannot move VIFs (hosts do since ${sinceOf("move")}), so VIF ${vif.uuid} on device ${vif.device} of VM ${quoted(vm.name_label)} ` +
    "is unplugged and made anew on the other network, with the same MAC address and settings, but a new UUID."
  );
}

/** For what writes: a VIF that is adopted by its UUID has to keep it. */
export async function refuseLosingUuid(
  host: HostContext,
  view: PoolView,
  vif: VifRecord,
  inputs: Props,
  network: string | undefined,
): Promise<void> {
  if (adoptedUuidOf(inputs) === undefined || !(await hasToBeMadeAnew(host, view, vif, network))) return;
  throw await uuidNotKept(host);
}

function uuidNotKept(host: HostContext): Promise<XennetError> {
  const todo =
    "it would make the VIF anew, with another UUID than adopt names: leave network out, or declare adopt: true with its device";
  return tooOldFor(host, "move", "network", todo);
}

/** A network that is not known yet is none that a VIF can be on. */
function isElsewhere({ news, network, kept }: Declared): boolean {
  return news["network"] !== undefined && !sameName(kept?.network, network?.ref);
}
