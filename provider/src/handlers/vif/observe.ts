import type { HostContext } from "../../hosts/context";
import { networkOfVif, type PoolView, vmOfVif } from "../../hosts/pool-view";
import { guestAddressesOf } from "../../xapi/guest-addresses";
import type { VifRecord } from "../../xapi/vifs";
import type { GuestMetrics, VmRecord } from "../../xapi/vms";
import { formerIn } from "../former";
import type { Props } from "../handler";
import { renderId, stateVersion } from "../identity";
import { formerKey, incarnationKey, ownerKey } from "../marks";
import { ownOf, plain, textMapOf, textOf } from "../props";
import { declaredParts, differingSettings, guestAddressOf, sameSetting, valuesOf } from "./fields";
import { guestSetup } from "./guest-setup";

/** Outputs: every input, and what XAPI and the guest's tools say. */
export async function outputsOf(view: PoolView, vif: VifRecord, inputs: Props, incarnation: string): Promise<Props> {
  const vm = vmOfVif(view, vif);
  const metrics = vm === undefined ? undefined : (await view.guestMetrics()).get(vm.guest_metrics);
  const address = guestAddressOf(inputs["ipv4"]);
  const isSet = address !== undefined && isAddressSet(inputs, vif);
  const setBy = address === undefined ? "none" : isSet ? "xapi" : "guest";
  return plain({
    ...inputs,
    ...{ uuid: vif.uuid, mac: vif.MAC, device: vif.device, vmUuid: vm?.uuid },
    currentlyAttached: vif.currently_attached,
    takenOver: formerIn("VIF", vif.uuid, vif.other_config) !== undefined,
    ipv4SetBy: setBy,
    guestSetup: guestSetup(setBy, address, vif.MAC, vif.device),
    guestAddresses: vif.currently_attached ? guestAddressesOf(metrics?.networks ?? {}, vif.device) : [],
    drift: driftOf(inputs, vif, vm, metrics),
    ...{ incarnation, stateVersion },
  });
}

/** Where a VIF is that is only read: the parts a declaration would name. */
export function placeOf(view: PoolView, vif: VifRecord, poolUuid: string): Props {
  const network = networkOfVif(view, vif);
  return plain({
    vm: vmOfVif(view, vif)?.uuid,
    network: network === undefined ? undefined : renderId({ realm: poolUuid, own: network.uuid }),
  });
}

/** What of the declaration the host does not have, though it was written just now. */
export function unwritten(inputs: Props, vif: VifRecord, view: PoolView): string[] {
  const { values } = declaredParts(inputs, undefined);
  const now = valuesOf(vif, view);
  return differingSettings(values, now)
    .filter(
      (name) => !name.startsWith("ipv4_config") && !/_(addresses|gateway)$/.test(name) && name !== "currently_attached",
    )
    .map((name) => `${name} was written, but the host has ${JSON.stringify(now[name])}`);
}

/** The inputs as they would have to be declared to describe what is there; what is not declared is left out. */
export async function observedInputs(host: HostContext, view: PoolView, vif: VifRecord, props: Props): Promise<Props> {
  const inputs = inputsOf(props);
  return plain({
    ...inputs,
    owner: observedOwner(vif, props),
    network: inputs["network"] === undefined ? undefined : await observedNetwork(host, view, vif, props),
    device: inputs["device"] === undefined ? undefined : vif.device,
    lockingMode: inputs["lockingMode"] === undefined ? undefined : vif.locking_mode,
    ipv4Allowed: observedSet(inputs["ipv4Allowed"], vif.ipv4_allowed),
    ipv6Allowed: observedSet(inputs["ipv6Allowed"], vif.ipv6_allowed),
    rateLimitKBytesPerSecond: inputs["rateLimitKBytesPerSecond"] === undefined ? undefined : rateOf(vif),
    mtu: inputs["mtu"] === undefined ? undefined : mtuOf(vif),
    ethtool: observedKeys(inputs, "ethtool", vif, "ethtool-"),
    otherConfig: observedKeys(inputs, "otherConfig", vif, ""),
  });
}

const outputOnly = new Set([
  ...["uuid", "vmUuid", "currentlyAttached", "takenOver", "ipv4SetBy", "guestSetup", "guestAddresses"],
  ...["drift", "incarnation", "stateVersion"],
]);

/** The part of the properties that are inputs. A MAC nobody declared is XAPI's, and as an input would pin it. */
export function inputsOf(props: Props): Props {
  const isAdoptedByUuid = typeof props["adopt"] === "object";
  const isInput = (key: string) => !outputOnly.has(key) && key !== "mac" && !(key === "device" && isAdoptedByUuid);
  return Object.fromEntries(Object.entries(props).filter(([key]) => isInput(key)));
}

/** None when a mark of ours was removed by hand, so that the next up writes them anew. */
function observedOwner(vif: VifRecord, props: Props): string {
  const marks = [incarnationKey, ...(props["takenOver"] === true ? [formerKey] : [])];
  return marks.every((key) => vif.other_config[key] !== undefined) ? (vif.other_config[ownerKey] ?? "") : "";
}

/** In the form that was declared, while that still names the network the VIF is on. */
async function observedNetwork(host: HostContext, view: PoolView, vif: VifRecord, props: Props): Promise<string> {
  const network = networkOfVif(view, vif);
  const id = renderId({ realm: (await host.identity()).poolUuid, own: network?.uuid ?? "" });
  const declared = textOf(props, "network") ?? "";
  return [id, network?.uuid, network?.name_label].includes(declared) ? declared : id;
}

function observedSet(declared: unknown, there: readonly string[]): unknown {
  if (declared === undefined) return undefined;
  return sameSetting(declared, there) ? declared : [...there];
}

function observedKeys(inputs: Props, property: string, vif: VifRecord, prefix: string): unknown {
  if (inputs[property] === undefined) return undefined;
  const keys = Object.keys(textMapOf(inputs, property));
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = ownOf(vif.other_config, `${prefix}${key}`);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function rateOf(vif: VifRecord): number | undefined {
  const kbps = vif.qos_algorithm_params["kbps"];
  return vif.qos_algorithm_type === "ratelimit" && kbps !== undefined ? Number(kbps) : undefined;
}

function mtuOf(vif: VifRecord): number | undefined {
  const mtu = vif.other_config["mtu"];
  return mtu === undefined ? undefined : Number(mtu);
}

/** True when XAPI sets just the declared address in the guest. */
function isAddressSet(inputs: Props, vif: VifRecord): boolean {
  const { ipv4_configuration_mode, ipv4_addresses, ipv4_gateway } = declaredParts(inputs, undefined).values;
  return (
    vif.ipv4_configuration_mode === ipv4_configuration_mode &&
    sameSetting(vif.ipv4_addresses, ipv4_addresses) &&
    vif.ipv4_gateway === ipv4_gateway
  );
}

/** What differs and cannot be said in terms of inputs. */
function driftOf(inputs: Props, vif: VifRecord, vm: VmRecord | undefined, metrics: GuestMetrics | undefined): string[] {
  const drift: string[] = [];
  const hasDomain = vm?.power_state === "Running" || vm?.power_state === "Paused";
  const plugged = inputs["plugged"];
  if (hasDomain && plugged === true && !vif.currently_attached) drift.push("not plugged, though its VM runs");
  if (hasDomain && plugged === false && vif.currently_attached) drift.push("plugged, though declared as unplugged");
  const address = guestAddressOf(inputs["ipv4"]);
  const canBeSet = vif.hasAddressSetting && metrics?.other["feature-static-ip-setting"] === "1";
  if (address !== undefined && canBeSet && !isAddressSet(inputs, vif)) {
    drift.push(`the guest's address ${address.address} is not set through XAPI`);
  }
  return drift;
}
