import { quoted } from "../../core/foreign-text";
import { networkOfVif, type PoolView, vmOfVif } from "../../hosts/pool-view";
import { XapiError } from "../../xapi/errors";
import { sentenceFor } from "../../xapi/failure-sentences";
import type { VifRecord } from "../../xapi/vifs";

/** The VIF that a message is about, in words its administrator knows. */
export interface VifPlace {
  readonly vmUuid: string;
  readonly vmName: string;
  readonly device: string;
  /** The network it is on or goes to. */
  readonly network: string;
}

type Advice = (place: VifPlace) => string;

const shutDown: Advice = ({ vmUuid }) =>
  `Shut the VM down (in the guest, or xe vm-shutdown uuid=${vmUuid}) and run up again`;
const highAvailability: Advice = ({ vmUuid }) =>
  `Use a network that all hosts share, or take the VM out of high availability (xe vm-param-set uuid=${vmUuid} ha-restart-priority=)`;

/** What the user can do about XAPI's refusals of VIF calls (datamodel_errors.ml); the sentence about the code goes before it. */
const advice: Readonly<Record<string, Advice>> = {
  VM_MISSING_PV_DRIVERS: shutDown,
  VM_OLD_PV_DRIVERS: shutDown,
  OPERATION_NOT_ALLOWED: shutDown,
  VM_BAD_POWER_STATE: ({ vmUuid }) =>
    `Let it run (xe vm-unpause uuid=${vmUuid}, or vm-resume), or shut it down; then run up again`,
  DEVICE_DETACH_REJECTED: ({ vmUuid }) =>
    `Stop what uses the interface in the guest, or shut the VM down (xe vm-shutdown uuid=${vmUuid}); then run up again`,
  DEVICE_DETACH_TIMEOUT: shutDown,
  OTHER_OPERATION_IN_PROGRESS: () => "Run up again when it has ended",
  HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED: highAvailability,
  HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN: highAvailability,
  HOST_CANNOT_ATTACH_NETWORK: () =>
    "The network carries traffic on one host at a time, and is in use on another one; move the VM there, or shut it down, then run up again",
  BRIDGE_NOT_AVAILABLE: () => "The network is not managed by XAPI; make its bridge on the host, or use another network",
  LICENCE_RESTRICTION: () => "Leave lockingMode, ipv4Allowed and ipv6Allowed out, or license the host",
  INVALID_IP_ADDRESS_SPECIFIED: () =>
    "Hosts before XCP-ng 8.3 take single addresses only, without a prefix length: correct ipv4Allowed or ipv6Allowed",
  ADDRESS_VIOLATES_LOCKING_CONSTRAINT: () => "Add the address to ipv4Allowed, or choose another lockingMode",
  VM_LACKS_FEATURE: ({ vmUuid }) =>
    `Start the VM once with its guest tools (xe vm-start uuid=${vmUuid}), as only they can change the address; then run again`,
  MAC_INVALID: () => "The VM has no other_config:mac_seed, from which XAPI derives a MAC address: declare mac",
  DEVICE_ALREADY_EXISTS: () => "Somebody made it just now; run up again to see what is there",
};

/** Codes of ours for what users meet and look up; all others stay XAPI_FAILURE. */
const codes: Readonly<Record<string, string>> = {
  "VIF.plug": "VIF_NOT_PLUGGED",
  "VIF.unplug": "VIF_NOT_UNPLUGGED",
};

/** The place of a VIF that is there. */
export function placeOf(vif: VifRecord, view: PoolView): VifPlace {
  const vm = vmOfVif(view, vif);
  const network = networkOfVif(view, vif);
  return {
    vmUuid: vm?.uuid ?? vif.VM,
    vmName: vm?.name_label ?? vif.VM,
    device: vif.device,
    network: network?.name_label ?? vif.network,
  };
}

/** The VIF, as messages begin. */
export function subjectOf({ device, vmName, vmUuid }: VifPlace): string {
  return `device ${device} of VM ${quoted(vmName)} (${vmUuid})`;
}

/** Runs a call about a VIF; a refusal of XAPI's says which VIF it was about, and what the user can do. */
export async function explaining<T>(what: string, place: VifPlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof XapiError)) throw error;
    throw explained(error, what, place);
  }
}

/** A refusal that is known without asking, in the same words. */
export function refusal(method: string, description: readonly string[], what: string, place: VifPlace): XapiError {
  return explained(new XapiError(method, description), what, place);
}

function explained(error: XapiError, what: string, place: VifPlace): XapiError {
  const { xapiCode, params } = error;
  const method = String(error.facts["method"]).replace(/^Async\./, "");
  const subject = `${subjectOf(place)} is to be ${what}`;
  const todo = Object.hasOwn(advice, xapiCode) ? `. ${advice[xapiCode]?.(place)}` : "";
  const message = `${subject}, but ${sentenceFor(xapiCode, params)} (${xapiCode})${todo}`;
  return new XapiError(method, [xapiCode, ...params], { message, code: codes[method] ?? error.code });
}
