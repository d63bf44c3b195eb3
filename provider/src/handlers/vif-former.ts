import { XennetError } from "../core/errors";
import type { HostContext } from "../hosts/context";
import type { IpConfigurationMode, VifRecord } from "../xapi/vifs";
import * as vifs from "../xapi/vifs";
import { formerKey, incarnationKey, ownerKey } from "./marks";

/** What a VIF was before it was taken over; kept in its own `other_config`, so that giving back needs no state. */
export interface FormerVif {
  readonly owner: string;
  /** UUID of the network it was on. */
  readonly network: string;
  readonly ipv4Mode: IpConfigurationMode;
  readonly ipv4Address: string;
  readonly ipv4Gateway: string;
}

/** Reads the former values of a VIF that was taken over; `undefined` for one we made. */
export function formerOf(vif: VifRecord): FormerVif | undefined {
  const text = vif.other_config[formerKey];
  if (text === undefined) return undefined;
  try {
    const former = JSON.parse(text) as Partial<FormerVif> | null;
    if (typeof former?.network !== "string") throw new Error("it names no network");
    return former as FormerVif;
  } catch (cause) {
    throw new XennetError(
      "FORMER_UNREADABLE",
      `VIF ${vif.uuid} was taken over, but its record of former values (other_config:${formerKey}) is unreadable. Correct it with \`xe vif-param-set\`, or remove the key to have the VIF destroyed instead of given back`,
      { cause },
    );
  }
}

/** Writes the marks, and the former values unless they are there already, in one call before anything is changed. */
export async function recordFormer(
  host: HostContext,
  vif: VifRecord,
  network: string,
  marks: Record<string, string>,
): Promise<void> {
  const former: FormerVif = {
    owner: marks[ownerKey] ?? "",
    network,
    ipv4Mode: vif.ipv4_configuration_mode,
    ipv4Address: vif.ipv4_addresses[0] ?? "",
    ipv4Gateway: vif.ipv4_gateway,
  };
  const kept = { [formerKey]: JSON.stringify(former), ...vif.other_config, ...marks };
  await vifs.setOtherConfig(host.xapi, vif.ref, kept);
  host.poolChanged();
}

/** Puts a VIF that was taken over back on its network, with its former address setting, and takes our marks off. */
export async function giveBack(host: HostContext, vif: VifRecord, former: FormerVif): Promise<void> {
  const { networks } = await host.poolView();
  const network = networks.find((candidate) => candidate.uuid === former.network);
  if (network === undefined) {
    throw new XennetError(
      "FORMER_NETWORK_GONE",
      `VIF ${vif.uuid} is to be given back to the network ${former.network}, which is not in the pool any more. ` +
        `Move the VIF yourself, then remove the keys ${ownerKey}, ${incarnationKey} and ${formerKey} from its other_config`,
    );
  }
  await restoreAddress(host, vif, former);
  if (vif.network !== network.ref) await vifs.move(host.xapi, vif.ref, network.ref);
  const { [ownerKey]: _o, [incarnationKey]: _i, [formerKey]: _f, ...foreign } = vif.other_config;
  await vifs.setOtherConfig(host.xapi, vif.ref, foreign);
  host.poolChanged();
}

/** Puts back the address setting the VIF had; without former values it had none. */
export async function restoreAddress(
  host: HostContext,
  vif: VifRecord,
  former: FormerVif | undefined = formerOf(vif),
): Promise<void> {
  const wasStatic = former?.ipv4Mode === "Static";
  const wanted = wasStatic ? { address: former.ipv4Address, gateway: former.ipv4Gateway } : undefined;
  if (wanted === undefined ? vif.ipv4_configuration_mode === "None" : hasAddress(vif, wanted)) return;
  await vifs.configureIpv4(host.xapi, vif.ref, wanted);
  host.poolChanged();
}

/** True when XAPI sets just this address in the guest. */
export function hasAddress(vif: VifRecord, wanted: { readonly address: string; readonly gateway: string }): boolean {
  return (
    vif.ipv4_configuration_mode === "Static" &&
    vif.ipv4_addresses[0] === wanted.address &&
    vif.ipv4_gateway === wanted.gateway
  );
}
