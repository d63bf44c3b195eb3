import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import type { PoolView } from "../../hosts/pool-view";
import { describeOwner } from "../../rules/owner";
import type { Problem } from "../../validation/problem";
import { isUnknown } from "../../validation/unknown";
import type { NetworkRecord } from "../../xapi/networks";
import type { VifRecord } from "../../xapi/vifs";
import type { VmRecord } from "../../xapi/vms";
import * as vms from "../../xapi/vms";
import { tooNewProperties } from "../abilities";
import type { Props } from "../handler";
import { ownerKey } from "../marks";
import { textOf } from "../props";
import { networkOf, orFailure, vmOf } from "../references";
import { checkLockedAddress } from "./locked-address";
import { checkOldHost } from "./old-host";
import { hasCopiedMarks, isOwn } from "./owner";
import { isBeingRemade } from "./remake";
import { pendingReplacement } from "./replace";
import { findPlace } from "./search";

/** What the host says about a VIF's inputs: references, a device that is taken or beyond what it allows, conflicts. */
export async function checkVifOnHost(host: HostContext, news: Props, owners: readonly string[]): Promise<Problem[]> {
  const [vmText, networkText] = [textOf(news, "vm"), textOf(news, "network")];
  const failures: Problem[] = await tooNewProperties(host, "VIF", news);
  const vm = vmText && !isUnknown(vmText) ? await orFailure(failures, () => vmOf(host, vmText)) : undefined;
  const network =
    networkText && !isUnknown(networkText) ? await orFailure(failures, () => networkOf(host, networkText)) : undefined;
  const { device, adopt, onDeviceConflict, mac } = news;
  if (vm === undefined || isUnknown([device, adopt, onDeviceConflict, mac])) return failures;
  const view = await host.poolView();
  await orFailure(failures, async () => pendingReplacement(view, textOf(news, "owner") ?? ""));
  const isOnItsWay = await orFailure(failures, async () => isBeingRemade(view, owners));
  // The next update goes on with the VIF of its record, wherever it is.
  if (isOnItsWay !== false) return failures;
  const { there, refused } = findPlace(view, vm, news, owners);
  if (refused !== undefined) {
    return [...failures, { property: refused.property ?? "device", reason: `${refused.message} (${refused.code})` }];
  }
  const wanted = there?.device ?? textOf(news, "device") ?? "0";
  failures.push(...claimDevice(host, vm, wanted, textOf(news, "owner") ?? ""));
  if (there === undefined) failures.push(...(await deviceBeyond(host, view, vm, wanted)));
  const isOurs = there !== undefined && isOwn(view, there, owners);
  const kept = isOurs || onDeviceConflict !== "replace" ? there : undefined;
  failures.push(...checkLockedAddress(news, kept));
  failures.push(...(await checkOldHost(host, { vm, network, there, kept, news, owners })));
  warnOfConflicts(host, view, { vm, network, there, kept, news, owners });
  return failures;
}

function claimDevice(host: HostContext, vm: VmRecord, device: string, owner: string): Problem[] {
  const other = host.claims.claim(`vif/${vm.uuid}/${device}`, owner);
  if (other === undefined) return [];
  const reason = `expected a free device, but this program's ${describeOwner(other)} has device ${device} of ${quoted(vm.name_label)} too`;
  return [{ property: "device", reason }];
}

/** Every supported host allows 0 to 6; only what lies beyond is worth a question. VIF.create itself takes any number. */
const allowedEverywhere = 7;

async function deviceBeyond(host: HostContext, view: PoolView, vm: VmRecord, device: string): Promise<Problem[]> {
  if (Number(device) < allowedEverywhere) return [];
  const free = await vms.getAllowedVifDevices(host.xapi, vm.ref);
  if (free.includes(device)) return [];
  const used = view.vifs.filter((vif) => vif.VM === vm.ref).map((vif) => vif.device);
  const offered = new Set([...free, ...used].map(Number));
  let allowed = 0;
  while (offered.has(allowed)) allowed += 1;
  const reason = `expected a device below ${allowed}, as the host allows ${allowed} VIFs a VM, found ${quoted(device)}. Free devices of ${quoted(vm.name_label)}: ${free.join(", ") || "none"}`;
  return [{ property: "device", reason }];
}

/** What a VIF's declaration leads to. */
export interface Declared {
  readonly vm: VmRecord;
  readonly network: NetworkRecord | undefined;
  readonly there: VifRecord | undefined;
  /** The same, unless it is to be replaced. */
  readonly kept: VifRecord | undefined;
  readonly news: Props;
  readonly owners: readonly string[];
}

/** What works, but hardly as meant; the provider process can show it under the stack only. */
function warnOfConflicts(host: HostContext, view: PoolView, declared: Declared): void {
  const { vm, there, kept, news } = declared;
  const name = describeOwner(textOf(news, "owner") ?? "");
  if (there !== undefined && kept === undefined) {
    host.warn(
      `${name} replaces VIF ${there.uuid} on device ${there.device} of VM ${quoted(vm.name_label)}. destroy puts it back with the same MAC address and settings, but with a new UUID.`,
    );
  }
  const mode = news["lockingMode"] ?? kept?.locking_mode ?? "network_default";
  const hasAllowed = news["ipv4Allowed"] !== undefined || news["ipv6Allowed"] !== undefined;
  if (hasAllowed && !isUnknown(mode) && mode !== "locked") {
    host.warn(
      `${name}: ipv4Allowed and ipv6Allowed have no effect while the locking mode is ${quoted(mode)}; they restrict the guest with lockingMode: "locked" only.`,
    );
  }
  const mac = textOf(news, "mac")?.toLowerCase();
  if (mac !== undefined) warnOfSameMac(host, view, declared, mac, name);
}

/** XAPI takes the same MAC address any number of times; on one network the bridge then sends packets to either. */
function warnOfSameMac(host: HostContext, view: PoolView, declared: Declared, mac: string, name: string): void {
  const { network, there, news, owners } = declared;
  if (network === undefined) return;
  // Snapshots and templates, which never run, are not among the VMs.
  const vmNames = new Map(view.vms.map((vm) => [vm.ref, vm.name_label]));
  const same = view.vifs.find(
    (vif) =>
      vmNames.has(vif.VM) &&
      vif.network === network.ref &&
      vif.MAC.toLowerCase() === mac &&
      vif.ref !== there?.ref &&
      (!owners.includes(vif.other_config[ownerKey] ?? "") || hasCopiedMarks(view, vif)),
  );
  const inProgram = host.claims.claim(`mac/${network.uuid}/${mac}`, `${textOf(news, "owner")} mac`);
  const other = same === undefined ? inProgram?.replace(/ mac$/, "") : undefined;
  if (same === undefined && other === undefined) return;
  const who =
    other === undefined ? `device ${same?.device} of VM ${quoted(vmNames.get(same?.VM ?? ""))}` : describeOwner(other);
  host.warn(
    // The address may be a secret.
    `${name}: its MAC address is used on network ${quoted(network.name_label)} by ${who} too; packets will reach only one of them.`,
  );
}
