import { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import { networkByUuid, type PoolView } from "../../hosts/pool-view";
import { hasXapiCode, XapiError } from "../../xapi/errors";
import type { NetworkRecord } from "../../xapi/networks";
import type { VifRecord } from "../../xapi/vifs";
import * as vifs from "../../xapi/vifs";
import { notDone } from "../seen";
import { explaining, placeOf, subjectOf, type VifPlace } from "./failures";
import { differingSettings, type VifValues, valuesOf } from "./fields";

type Wanted = Partial<VifValues>;
const families = ["ipv4", "ipv6"] as const;
type Family = (typeof families)[number];

/** Takes note of an address that cannot be set, or throws. */
export type OnLack = (family: Family, error: XapiError) => void;

const fail: OnLack = (_family, error) => {
  throw error;
};

/** What one step of {@link applySettings} works on. */
interface Scene {
  readonly host: HostContext;
  readonly vif: VifRecord;
  readonly view: PoolView;
  readonly wanted: Wanted;
  readonly place: VifPlace;
}

/**
 * Writes the settings that differ, in place, in an order in which each may follow the one before: an address is checked
 * against the addresses allowed while the mode is `locked`. Plugging is not among them.
 *
 * `onLack` decides what becomes of an address that the guest's tools, or a host before 7.0, cannot set.
 */
export async function applySettings(
  host: HostContext,
  view: PoolView,
  vif: VifRecord,
  wanted: Wanted,
  onLack: OnLack = fail,
): Promise<void> {
  const differing = new Set<string>(differingSettings(wanted, valuesOf(vif, view)));
  const differs = (...names: (keyof VifValues)[]) => names.some((name) => differing.has(name));
  const scene: Scene = { host, vif, view, wanted, place: placeOf(vif, view) };
  const { xapi } = host;
  const { ref } = vif;
  const { ipv4_allowed, ipv6_allowed, locking_mode } = wanted;
  try {
    if (differs("network")) await move(scene);
    await explaining("changed", scene.place, async () => {
      if (ipv4_allowed && differs("ipv4_allowed")) await vifs.setAllowed(xapi, ref, "ipv4", ipv4_allowed);
      if (ipv6_allowed && differs("ipv6_allowed")) await vifs.setAllowed(xapi, ref, "ipv6", ipv6_allowed);
      if (locking_mode && differs("locking_mode")) await vifs.setLockingMode(xapi, ref, locking_mode);
      if (differs("qos_algorithm_type", "qos_algorithm_params")) {
        await vifs.setQos(xapi, ref, wanted.qos_algorithm_type ?? "", wanted.qos_algorithm_params ?? {});
      }
      for (const family of families) {
        const fields = [`${family}_configuration_mode`, `${family}_addresses`, `${family}_gateway`] as const;
        if (differs(...fields)) await setAddress(scene, family, onLack);
      }
    });
  } finally {
    if (differing.size > 0) host.poolChanged();
  }
}

/** Keeps UUID, MAC and device. */
async function move({ host, vif, view, wanted, place }: Scene): Promise<void> {
  const network = networkToMoveTo(view, vif, wanted);
  const to = { ...place, network: network.name_label };
  const what = `moved to network ${quoted(network.name_label)}`;
  await explaining(what, to, () => vifs.move(host.xapi, vif.ref, network.ref));
  if ((await vifs.getRecord(host.xapi, vif.ref)).network === network.ref) return;
  throw notDone(`${subjectOf(to)} was to be ${what}`, "it is on another network");
}

/** The network that a VIF is to be on; an error when it is not in the pool any more. */
export function networkToMoveTo(view: PoolView, vif: VifRecord, wanted: Wanted): NetworkRecord {
  const network = networkByUuid(view, wanted.network);
  if (network !== undefined) return network;
  throw new XennetError(
    "FORMER_NETWORK_GONE",
    `VIF ${vif.uuid} is to be put back on the network ${wanted.network}, which is not in the pool any more. ` +
      "Move the VIF yourself, and replace that UUID in its other_config:xennet:former by the UUID of the network it is on",
  );
}

async function setAddress({ host, vif, wanted }: Scene, family: Family, onLack: OnLack): Promise<void> {
  const call = `VIF.configure_${family}`;
  if (!vif.hasAddressSetting) return onLack(family, new XapiError(call, ["MESSAGE_METHOD_UNKNOWN", call]));
  const configure = family === "ipv4" ? vifs.configureIpv4 : vifs.configureIpv6;
  try {
    await configure(host.xapi, vif.ref, addressOf(wanted, family));
  } catch (error) {
    // The tools tell what they can do once the guest ran with them.
    if (!hasXapiCode(error, "VM_LACKS_FEATURE")) throw error;
    onLack(family, error);
  }
}

function addressOf(wanted: Wanted, family: Family): vifs.StaticAddress | undefined {
  if (wanted[`${family}_configuration_mode`] !== "Static") return undefined;
  return { address: wanted[`${family}_addresses`]?.[0] ?? "", gateway: wanted[`${family}_gateway`] ?? "" };
}
