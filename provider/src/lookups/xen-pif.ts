import type { Input, Output } from "@pulumi/pulumi";
import { byReference, byUuid, type Named, theOnly } from "../hosts/selection";
import type { PifRecord } from "../xapi/pifs";
import { checkArguments, type Given, refused, textArgument, vlanOf } from "./arguments";
import type { Inventory } from "./inventory";
import { type LookUp, type LookUpOptions, lookUp, lookUpOutput } from "./look-up";

/** Which PIF {@link getXenPif} looks for: `device`, or `uuid` alone. */
export interface GetXenPifArgs {
  /** Name of the host profile, which stands for the whole pool. @default "default" */
  readonly host?: string | undefined;
  /** Device name on the host, e.g. `eth0` or `bond0`; a VLAN has the name of the device under it. */
  readonly device?: string | undefined;
  /** The host in the pool whose PIF it is, by name label or UUID. @default - any, if only one has such a PIF */
  readonly onHost?: string | undefined;
  /** VLAN tag, 0 to 4094, or -1 for untagged. @default -1 */
  readonly vlan?: number | undefined;
  /** The UUID, or its beginning if no other PIF has the same: 4 characters or more. Differs from host to host. */
  readonly uuid?: string | undefined;
}

/** {@link GetXenPifArgs} with inputs. */
export interface GetXenPifOutputArgs {
  readonly host?: Input<string> | undefined;
  readonly device?: Input<string> | undefined;
  readonly onHost?: Input<string> | undefined;
  readonly vlan?: Input<number> | undefined;
  readonly uuid?: Input<string> | undefined;
}

/** A host's network interface, VLAN or bond as it was when it was looked up. */
export interface GetXenPifResult {
  readonly uuid: string;
  readonly device: string;
  readonly hostUuid: string;
  readonly networkUuid: string;
  readonly mac: string;
  /** In bytes. */
  readonly mtu: number;
  /** VLAN tag; -1 for untagged. */
  readonly vlan: number;
  /** False for a VLAN, a bond or a tunnel. */
  readonly physical: boolean;
  readonly currentlyAttached: boolean;
  /** Whether it has the management address. */
  readonly management: boolean;
  readonly ipConfigurationMode: string;
  /** IPv4 address; empty for none, as with the next two. */
  readonly ip: string;
  readonly netmask: string;
  readonly gateway: string;
}

/** The search itself, without a pool. */
export const xenPifLookUp: LookUp<GetXenPifResult> = {
  name: "getXenPif",
  check(given) {
    checkArguments(given, ["device", "onHost", "uuid"], ["vlan"]);
    const [device, uuid, vlan] = [given["device"], given["uuid"], vlanOf(given)];
    if (device === undefined && uuid === undefined) throw refused("device", "expected device or uuid, found neither");
    const beside = [device, given["onHost"], vlan].some((value) => value !== undefined);
    if (uuid !== undefined && beside)
      throw refused("uuid", "expected uuid alone, found device, onHost or vlan with it");
  },
  find(inventory, given) {
    const pif = pifOf(inventory, given);
    return {
      uuid: pif.uuid,
      device: pif.device,
      hostUuid: inventory.hosts.find((host) => host.ref === pif.host)?.uuid ?? "",
      networkUuid: inventory.networks.find((network) => network.ref === pif.network)?.uuid ?? "",
      mac: pif.MAC,
      mtu: pif.MTU,
      vlan: pif.VLAN,
      physical: pif.physical,
      currentlyAttached: pif.currently_attached,
      management: pif.management,
      ipConfigurationMode: pif.ip_configuration_mode,
      ip: pif.IP,
      netmask: pif.netmask,
      gateway: pif.gateway,
    };
  },
};

/**
 * Looks up a network interface of a host, in previews too. None or several is an error that lists the candidates.
 *
 * @example
 * const nic = await getXenPif({ device: "eth0", onHost: "xenserver-1" });
 */
export function getXenPif(args: GetXenPifArgs): Promise<GetXenPifResult> {
  return lookUp(xenPifLookUp, { ...args });
}

/** {@link getXenPif} for arguments that are outputs. */
export function getXenPifOutput(args: GetXenPifOutputArgs, opts?: LookUpOptions): Output<GetXenPifResult> {
  return lookUpOutput(xenPifLookUp, { ...args }, opts);
}

type NamedPif = PifRecord & Named;

function pifOf(inventory: Inventory, given: Given): PifRecord {
  const all = inventory.pifs.map((pif) => ({ ...pif, name_label: describe(inventory, pif) }));
  const uuid = textArgument(given, "uuid");
  if (uuid !== undefined) return byUuid({ property: "uuid", what: "PIF", text: uuid }, all);
  const [device, onHost, vlan] = [textArgument(given, "device") ?? "", textArgument(given, "onHost"), vlanOf(given)];
  const host =
    onHost === undefined
      ? undefined
      : byReference({ property: "onHost", what: "host", text: onHost }, inventory.hosts).ref;
  const found = all.filter(
    (pif: NamedPif) => pif.device === device && pif.VLAN === (vlan ?? -1) && (host === undefined || pif.host === host),
  );
  const text = vlan === undefined || vlan === -1 ? device : `${device}, VLAN ${vlan}`;
  const advice = host === undefined ? "onHost, or the UUID," : "the UUID";
  return theOnly({ property: "device", what: "PIF", text }, found, all, { by: "device", advice });
}

/** XAPI gives PIFs no name; people tell them by device, VLAN and host. */
function describe({ hosts }: Inventory, pif: PifRecord): string {
  const host = hosts.find((candidate) => candidate.ref === pif.host)?.name_label ?? "an unknown host";
  return `${pif.device}${pif.VLAN === -1 ? "" : `, VLAN ${pif.VLAN}`} on ${host}`;
}
