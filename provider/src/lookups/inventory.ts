import { observePool, type PoolView } from "../hosts/pool-view";
import type { XapiClient } from "../xapi/client";
import * as hosts from "../xapi/hosts";
import type { PifRecord } from "../xapi/pifs";
import type { GuestMetrics } from "../xapi/vms";

/** Everything that look-ups can ask about, of one pool at one moment. */
export interface Inventory extends Pick<PoolView, "networks" | "vms" | "vifs"> {
  readonly pifs: readonly PifRecord[];
  readonly hosts: readonly hosts.HostRecord[];
  /** By the reference that a VM's `guest_metrics` holds. */
  readonly guestMetrics: ReadonlyMap<string, GuestMetrics>;
}

/** Reads it with six XAPI calls, however many objects there are. */
export async function observeInventory(xapi: XapiClient): Promise<Inventory> {
  const { networks, vms, vifs, ...view } = await observePool(xapi);
  const [pifs, allHosts, guestMetrics] = await Promise.all([
    view.pifs(),
    hosts.getAllRecords(xapi),
    view.guestMetrics(),
  ]);
  return { networks, vms, vifs, pifs, hosts: allHosts, guestMetrics };
}
