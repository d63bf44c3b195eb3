import type { HostContext } from "../hosts/context";
import { hasXapiCode, isUnknownCall } from "../xapi/errors";
import type { VifRecord } from "../xapi/vifs";
import * as vifs from "../xapi/vifs";
import type { VmRecord } from "../xapi/vms";
import { hasAddress, restoreAddress } from "./vif-former";

/** A guest's static address as declared. */
export interface GuestAddress {
  readonly address: string;
  readonly gateway: string;
}

/** Who sets the address in the guest. */
export type AddressSetter = "xapi" | "guest" | "none";

/** Reads `ipv4` of the inputs. */
export function guestAddressOf(value: unknown): GuestAddress | undefined {
  if (value === null || typeof value !== "object") return undefined;
  const { address, gateway } = value as { address?: unknown; gateway?: unknown };
  if (typeof address !== "string") return undefined;
  return { address, gateway: typeof gateway === "string" ? gateway : "" };
}

/**
 * Sets the address through XAPI. A guest whose tools do not offer it (they report `feature-static-ip-setting` once it
 * ran), or a host before 7.0, leaves the task to the guest's administrator.
 */
export async function syncGuestAddress(
  host: HostContext,
  vif: VifRecord,
  wanted: GuestAddress | undefined,
  setBefore: boolean,
): Promise<AddressSetter> {
  if (wanted === undefined) {
    if (setBefore) await restoreAddress(host, vif);
    return "none";
  }
  if (hasAddress(vif, wanted)) return "xapi";
  try {
    await vifs.configureIpv4(host.xapi, vif.ref, wanted);
    host.poolChanged();
    return "xapi";
  } catch (error) {
    if (!hasXapiCode(error, "VM_LACKS_FEATURE") && !isUnknownCall(error)) throw error;
    return "guest";
  }
}

/** True when the guest's tools say that XAPI can set addresses. */
export async function canSetAddress(host: HostContext, vm: VmRecord): Promise<boolean> {
  const metrics = (await (await host.poolView()).guestMetrics()).get(vm.guest_metrics);
  return metrics?.other["feature-static-ip-setting"] === "1";
}
