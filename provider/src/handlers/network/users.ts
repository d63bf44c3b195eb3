import { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import type { PoolView } from "../../hosts/pool-view";
import { describeOwner, sameStack } from "../../rules/owner";
import type { NetworkRecord } from "../../xapi/networks";
import * as vifs from "../../xapi/vifs";
import * as vms from "../../xapi/vms";
import { ownerKey } from "../marks";

/** XAPI would silently delete the VIFs of halted VMs together with the network. */
export async function refuseWhileUsed(host: HostContext, network: NetworkRecord): Promise<void> {
  const view = await host.poolView();
  await refuseWithPifs(view, network);
  const users = usersOf(view, network);
  if (users.length === 0) return;
  throw new XennetError(
    "NETWORK_IN_USE",
    `network ${quoted(network.name_label)} is to be deleted, but VIFs are still on it: ${await described(host, users)}. ` +
      `Move or destroy them first; XAPI would delete them with the network. ${unrecorded(view, network, users)}` +
      "To have them deleted set forceDestroy: true, run up, then delete",
  );
}

/** A delete comes after those of the stack's VIFs, so one that carries the stack's mark still is not in its state. */
function unrecorded(view: PoolView, network: NetworkRecord, users: readonly vifs.VifRecord[]): string {
  const owner = network.other_config[ownerKey];
  const own = owner === undefined ? [] : users.filter((vif) => isOfStack(view, vif, owner));
  if (own.length === 0) return "";
  const names = own.map((vif) => describeOwner(vif.other_config[ownerKey] ?? "")).join(", ");
  return `If a run that was cut off made ${names}, the state does not have it yet: run up once, which finds it by its mark, then destroy. `;
}

/** A replace takes this stack's own VIFs along; those of others would be lost. */
export async function refuseReplaceWhileUsed(
  host: HostContext,
  network: NetworkRecord,
  owner: string,
  property: string,
): Promise<void> {
  const view = await host.poolView();
  await refuseWithPifs(view, network);
  const foreign = usersOf(view, network).filter((vif) => !isOfStack(view, vif, owner));
  if (foreign.length === 0) return;
  throw new XennetError(
    "NETWORK_IN_USE",
    `network ${quoted(network.name_label)} would have to be replaced because of ${quoted(property)}, ` +
      `but VIFs that are not this stack's are on it: ${await described(host, foreign)}. ` +
      "Move or destroy them first, or leave the property as it was",
    { property },
  );
}

/** XAPI changes the default locking mode only while no VIF of the network is plugged. */
export async function refuseLockingWhilePlugged(host: HostContext, network: NetworkRecord): Promise<void> {
  const plugged = usersOf(await host.poolView(), network).filter((vif) => vif.currently_attached);
  if (plugged.length === 0) return;
  throw new XennetError(
    "LOCKING_WHILE_PLUGGED",
    `the default locking mode of network ${quoted(network.name_label)} can be changed only while none of its VIFs is plugged, ` +
      `and these are: ${await described(host, plugged)}. Unplug them or shut the VMs down, then run up again`,
    { property: "defaultLockingMode" },
  );
}

/** Tells what will be lost, then unplugs what runs; XAPI deletes all of them with the network. */
export async function clearUsers(host: HostContext, network: NetworkRecord): Promise<void> {
  const view = await host.poolView();
  await refuseWithPifs(view, network);
  const users = usersOf(view, network);
  if (users.length === 0) return;
  const list = await described(host, users, (vif) => `, MAC ${vif.MAC}`);
  host.warn(
    `forceDestroy: with network ${quoted(network.name_label)} (${network.uuid}) these VIFs are deleted: ${list}.`,
  );
  try {
    for (const vif of users) {
      if (vif.currently_attached) await vifs.unplug(host.xapi, vif.ref);
    }
  } finally {
    host.poolChanged();
  }
}

function usersOf(view: PoolView, network: NetworkRecord): vifs.VifRecord[] {
  return view.vifs.filter((vif) => vif.network === network.ref);
}

/** A mark that several VIFs carry was copied by VM.clone or VM.snapshot, and nothing tells which one is the original. */
function isOfStack(view: PoolView, vif: vifs.VifRecord, owner: string): boolean {
  const mark = vif.other_config[ownerKey];
  if (mark === undefined || !sameStack(mark, owner)) return false;
  const machines = new Set(view.vms.map((vm) => vm.ref));
  const bearers = view.vifs.filter((other) => other.other_config[ownerKey] === mark && machines.has(other.VM));
  return bearers.length === 1 && bearers[0] === vif;
}

/** A VLAN or bond that somebody put on the network after it was made. */
async function refuseWithPifs(view: PoolView, network: NetworkRecord): Promise<void> {
  if (network.PIFs.length === 0) return;
  const names = (await view.pifs())
    .filter((pif) => pif.network === network.ref)
    .map((pif) => `${pif.device}${pif.VLAN >= 0 ? ` VLAN ${pif.VLAN}` : ""} (${pif.uuid})`);
  throw new XennetError(
    "NETWORK_HAS_PIF",
    `network ${quoted(network.name_label)} is to be deleted, but interfaces of the host belong to it: ${names.join(", ")}. ` +
      "Somebody connected it to the outside after it was made; remove the VLAN or bond first",
  );
}

/** Snapshots and templates have VIFs too, and lose them with the network like any VM. */
async function described(
  host: HostContext,
  users: readonly vifs.VifRecord[],
  more: (vif: vifs.VifRecord) => string = () => "",
): Promise<string> {
  const all = await vms.getAllRecords(host.xapi);
  return [...users]
    .sort((a, b) => a.uuid.localeCompare(b.uuid))
    .map((vif) => {
      const vm = all.find((candidate) => candidate.ref === vif.VM);
      const kind = vm?.is_a_snapshot ? "snapshot " : vm?.is_a_template ? "template " : "";
      return `device ${vif.device} of ${kind}${quoted(vm?.name_label ?? vif.VM)} (${vif.uuid}${more(vif)})`;
    })
    .join(", ");
}
