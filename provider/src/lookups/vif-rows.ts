import { guestAddressesOf } from "../xapi/guest-addresses";
import type { VifRecord } from "../xapi/vifs";
import type { Inventory } from "./inventory";

/** A VIF with the names of what it connects. */
export interface XenVifRow {
  readonly uuid: string;
  /** Device number inside the VM, e.g. `"0"`. */
  readonly device: string;
  readonly mac: string;
  /** Whether it is plugged into a running VM. */
  readonly currentlyAttached: boolean;
  readonly vmUuid: string;
  readonly vmNameLabel: string;
  readonly networkUuid: string;
  readonly networkNameLabel: string;
  /** What the guest's tools report, IPv4 first; without link-local addresses. */
  readonly addresses: readonly string[];
}

/** The VIFs of VMs that are neither templates, snapshots nor control domains, by VM name, then by device number. */
export function vifRows(inventory: Inventory, keep: (vif: VifRecord) => boolean): XenVifRow[] {
  const vms = new Map(inventory.vms.map((vm) => [vm.ref, vm]));
  const networks = new Map(inventory.networks.map((network) => [network.ref, network]));
  const rows = inventory.vifs.filter(keep).flatMap((vif): XenVifRow[] => {
    const [vm, network] = [vms.get(vif.VM), networks.get(vif.network)];
    // Created or destroyed between two of the calls that make the inventory, or a VIF of a template.
    if (vm === undefined || network === undefined) return [];
    const reported = inventory.guestMetrics.get(vm.guest_metrics)?.networks ?? {};
    return [
      {
        uuid: vif.uuid,
        device: vif.device,
        mac: vif.MAC,
        currentlyAttached: vif.currently_attached,
        vmUuid: vm.uuid,
        vmNameLabel: vm.name_label,
        networkUuid: network.uuid,
        networkNameLabel: network.name_label,
        addresses: guestAddressesOf(reported, vif.device),
      },
    ];
  });
  return rows.sort(byVmThenDevice);
}

function byVmThenDevice(a: XenVifRow, b: XenVifRow): number {
  const byName = a.vmNameLabel.localeCompare(b.vmNameLabel, "en");
  return byName || a.vmUuid.localeCompare(b.vmUuid, "en") || Number(a.device) - Number(b.device);
}
