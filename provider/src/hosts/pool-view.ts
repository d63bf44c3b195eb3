import type { XapiClient } from "../xapi/client";
import * as networks from "../xapi/networks";
import * as pbds from "../xapi/pbds";
import * as pifs from "../xapi/pifs";
import * as vifs from "../xapi/vifs";
import * as vms from "../xapi/vms";

/** Networks, VMs and VIFs of a pool at one moment: three XAPI calls, however many objects there are. */
export interface PoolView {
  readonly networks: readonly networks.NetworkRecord[];
  /** Without templates, snapshots and the control domains. */
  readonly vms: readonly vms.VmRecord[];
  readonly vifs: readonly vifs.VifRecord[];
  /** One more call, made when somebody asks. */
  pifs(): Promise<readonly pifs.PifRecord[]>;
  /** How hosts reach storage; one more call, made when somebody asks. */
  pbds(): Promise<readonly pbds.PbdRecord[]>;
  /** What the VMs' guest tools report, by the VM's `guest_metrics`; one more call, made when somebody asks. */
  guestMetrics(): Promise<ReadonlyMap<string, vms.GuestMetrics>>;
}

/** Reads the pool's networks, VMs and VIFs. */
export async function observePool(xapi: XapiClient): Promise<PoolView> {
  const [allNetworks, allVms, allVifs] = await Promise.all([
    networks.getAllRecords(xapi),
    vms.getAllRecords(xapi),
    vifs.getAllRecords(xapi),
  ]);
  const ordinary = allVms.filter(vms.isMachine);
  return {
    networks: allNetworks,
    vms: ordinary,
    vifs: allVifs,
    pifs: once(() => pifs.getAllRecords(xapi)),
    pbds: once(() => pbds.getAllRecords(xapi)),
    guestMetrics: once(() => vms.getAllGuestMetrics(xapi)),
  };
}

/** The VM a VIF belongs to; undefined for one of a template, a snapshot or the control domain. */
export function vmOfVif(view: PoolView, vif: vifs.VifRecord): vms.VmRecord | undefined {
  return view.vms.find((vm) => vm.ref === vif.VM);
}

/** The network a VIF is on; undefined when it was made after the view was. */
export function networkOfVif(view: PoolView, vif: vifs.VifRecord): networks.NetworkRecord | undefined {
  return view.networks.find((network) => network.ref === vif.network);
}

/** Undefined when the pool has no network of this UUID. */
export function networkByUuid(view: PoolView, uuid: string | undefined): networks.NetworkRecord | undefined {
  return view.networks.find((network) => network.uuid === uuid);
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
