import type { XapiClient } from "../xapi/client";
import * as networks from "../xapi/networks";
import * as vifs from "../xapi/vifs";
import * as vms from "../xapi/vms";

/** Networks, VMs and VIFs of a pool at one moment: three XAPI calls, however many objects there are. */
export interface PoolView {
  readonly networks: readonly networks.NetworkRecord[];
  /** Without templates, snapshots and the control domains. */
  readonly vms: readonly vms.VmRecord[];
  readonly vifs: readonly vifs.VifRecord[];
}

/** Reads the pool's networks, VMs and VIFs. */
export async function observePool(xapi: XapiClient): Promise<PoolView> {
  const [allNetworks, allVms, allVifs] = await Promise.all([
    networks.getAllRecords(xapi),
    vms.getAllRecords(xapi),
    vifs.getAllRecords(xapi),
  ]);
  const ordinary = allVms.filter(vms.isMachine);
  return { networks: allNetworks, vms: ordinary, vifs: allVifs };
}
