import type { HostContext } from "../hosts/context";
import type { VifRecord } from "../xapi/vifs";
import type { VmRecord } from "../xapi/vms";
import type { Props } from "./handler";
import { renderId, stateVersion } from "./identity";
import { ownerKey } from "./marks";
import { plain, textOf } from "./props";
import { formerOf, hasAddress } from "./vif-former";
import { canSetAddress, guestAddressOf } from "./vif-guest";

/** Outputs after a write: every input, and what XAPI says. */
export function outputsOf(inputs: Props, vif: VifRecord, vm: VmRecord, incarnation: string, ipv4SetBy: string): Props {
  return plain({
    ...inputs,
    ...{ uuid: vif.uuid, mac: vif.MAC, vmUuid: vm.uuid, currentlyAttached: vif.currently_attached },
    ...{ takenOver: formerOf(vif) !== undefined, ipv4SetBy, drift: [], incarnation, stateVersion },
  });
}

/** The properties as they are now; what cannot be said in terms of inputs goes into `drift`. */
export async function observedProps(host: HostContext, vif: VifRecord, props: Props): Promise<Props> {
  const view = await host.poolView();
  const vm = view.vms.find((candidate) => candidate.ref === vif.VM);
  const network = view.networks.find((candidate) => candidate.ref === vif.network);
  const declared = textOf(props, "network") ?? "";
  const { poolUuid } = await host.identity();
  const networkId = renderId({ realm: poolUuid, own: network?.uuid ?? "" });
  const isDeclared = [networkId, network?.uuid, network?.name_label].includes(declared);
  const drift: string[] = [];
  if (vm?.power_state === "Running" && !vif.currently_attached) drift.push("not plugged, though its VM runs");
  const wanted = guestAddressOf(props["ipv4"]);
  const isSet = wanted !== undefined && hasAddress(vif, wanted);
  if (wanted !== undefined && !isSet && vm !== undefined && (await canSetAddress(host, vm))) {
    drift.push(`the guest's address ${wanted.address} is not set through XAPI`);
  }
  return plain({
    ...props,
    owner: vif.other_config[ownerKey] ?? "",
    network: isDeclared ? declared : networkId,
    ...{ device: vif.device, mac: vif.MAC, uuid: vif.uuid, currentlyAttached: vif.currently_attached },
    ipv4SetBy: wanted === undefined ? "none" : isSet ? "xapi" : "guest",
    takenOver: formerOf(vif) !== undefined,
    drift,
  });
}

const outputOnly = new Set([
  ...["uuid", "vmUuid", "currentlyAttached", "ipv4SetBy", "takenOver", "drift", "incarnation", "stateVersion"],
  // A MAC nobody declared is XAPI's; as an input it would pin it.
  "mac",
]);

/** The part of the properties that are inputs. */
export function inputsOf(props: Props): Props {
  return Object.fromEntries(Object.entries(props).filter(([key]) => !outputOnly.has(key)));
}
