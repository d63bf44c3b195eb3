import { networkOfVif, type PoolView, vmOfVif } from "../../hosts/pool-view";
import type { LockingMode, NewVif, VifRecord } from "../../xapi/vifs";
import type { Managed } from "../former";
import type { Props } from "../handler";
import { equal, numberOf, textMapOf, textsOf } from "../props";

/** The settings that are kept as XAPI's record has them. */
const plainSettings = [
  ...(["ipv4_allowed", "ipv6_allowed", "qos_algorithm_type", "qos_algorithm_params"] as const),
  ...(["ipv4_configuration_mode", "ipv4_addresses", "ipv4_gateway"] as const),
  ...(["ipv6_configuration_mode", "ipv6_addresses", "ipv6_gateway"] as const),
] as const;

type PlainSettings = Pick<VifRecord, (typeof plainSettings)[number]>;

/** A VIF's settings by XAPI's names, as far as they are managed, given back or carried over. */
export interface VifValues extends PlainSettings {
  /** UUID, as references are not for keeping. */
  readonly network: string;
  readonly locking_mode: LockingMode;
  /** False only for a VIF that is unplugged though its VM runs: a VM that does not run has none attached. */
  readonly currently_attached: boolean;
}

/** What XAPI gives a new VIF; the network is the only setting without a default. */
export const newVifValues: Omit<VifValues, "network"> = {
  locking_mode: "network_default",
  ipv4_allowed: [],
  ipv6_allowed: [],
  qos_algorithm_type: "",
  qos_algorithm_params: {},
  ipv4_configuration_mode: "None",
  ipv4_addresses: [],
  ipv4_gateway: "",
  ipv6_configuration_mode: "None",
  ipv6_addresses: [],
  ipv6_gateway: "",
  currently_attached: true,
};

/** Those of the settings that VIF.create takes. Editions without locking refuse its fields, whatever is in them. */
export function settingsForCreate(values: Omit<VifValues, "network">): Partial<NewVif> {
  const { locking_mode, ipv4_allowed, ipv6_allowed, qos_algorithm_type, qos_algorithm_params } = values;
  const isLocked = locking_mode !== "network_default" || ipv4_allowed.length + ipv6_allowed.length > 0;
  return {
    ...{ qos_algorithm_type, qos_algorithm_params },
    ...(isLocked ? { locking_mode, ipv4_allowed, ipv6_allowed } : {}),
  };
}

/** The offloads of a VIF that the host's plug script switches (scripts/vif: `handle_ethtool`). */
export const offloads = ["rx", "tx", "sg", "tso", "ufo", "gso"] as const;

/** A VIF's settings as they are; what the host is too old to have is as on a new VIF. */
export function valuesOf(vif: VifRecord, view: PoolView): VifValues {
  const vm = vmOfVif(view, vif);
  return {
    network: networkOfVif(view, vif)?.uuid ?? "",
    locking_mode: vif.locking_mode ?? newVifValues.locking_mode,
    ...(Object.fromEntries(plainSettings.map((name) => [name, vif[name]])) as unknown as PlainSettings),
    currently_attached: vif.currently_attached || vm?.power_state !== "Running",
  };
}

/** What is declared, in XAPI's terms; the network as UUID, because inputs may name it in several ways. */
export function declaredParts(inputs: Props, networkUuid: string | undefined): DeclaredVif {
  const { lockingMode, plugged } = inputs;
  const rate = numberOf(inputs, "rateLimitKBytesPerSecond");
  const address = guestAddressOf(inputs["ipv4"]);
  const values: Partial<VifValues> = {
    ...(networkUuid === undefined ? {} : { network: networkUuid }),
    ...(lockingMode === undefined ? {} : { locking_mode: lockingMode as LockingMode }),
    ...(inputs["ipv4Allowed"] === undefined ? {} : { ipv4_allowed: textsOf(inputs, "ipv4Allowed") }),
    ...(inputs["ipv6Allowed"] === undefined ? {} : { ipv6_allowed: textsOf(inputs, "ipv6Allowed") }),
    ...(rate === undefined ? {} : rateLimit(rate)),
    ...(address === undefined ? {} : staticAddress(address)),
    ...(typeof plugged === "boolean" ? { currently_attached: plugged } : {}),
  };
  return { values, otherConfig: declaredKeys(inputs) };
}

/** {@link Managed}, with the types of a VIF's settings. */
export interface DeclaredVif extends Managed {
  readonly values: Partial<VifValues>;
}

/** A guest's static address as declared. */
export interface GuestAddress {
  /** With prefix length. */
  readonly address: string;
  /** Empty for none. */
  readonly gateway: string;
}

/** Reads `ipv4` of the inputs. */
export function guestAddressOf(value: unknown): GuestAddress | undefined {
  if (value === null || typeof value !== "object") return undefined;
  const { address, gateway } = value as { address?: unknown; gateway?: unknown };
  if (typeof address !== "string") return undefined;
  return { address, gateway: typeof gateway === "string" ? gateway : "" };
}

/** The keys of `other_config` that are managed: those declared as such, and those with a property of their own. */
function declaredKeys(inputs: Props): Record<string, string> {
  const mtu = numberOf(inputs, "mtu");
  const ethtool = Object.entries(textMapOf(inputs, "ethtool")).map(([name, value]) => [`ethtool-${name}`, value]);
  return {
    ...textMapOf(inputs, "otherConfig"),
    // The record's own MTU is without effect (xapi_xenops.ml of_vif).
    ...(mtu === undefined ? {} : { mtu: String(mtu) }),
    ...Object.fromEntries(ethtool),
  };
}

function rateLimit(kbps: number): Partial<VifValues> {
  return { qos_algorithm_type: "ratelimit", qos_algorithm_params: { kbps: String(kbps) } };
}

function staticAddress({ address, gateway }: GuestAddress): Partial<VifValues> {
  return { ipv4_configuration_mode: "Static", ipv4_addresses: [address], ipv4_gateway: gateway };
}

/** True when two values of a setting mean the same; XAPI's sets have no order. */
export function sameSetting(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown) => (Array.isArray(value) ? [...new Set(value.map(String))].sort() : value);
  return equal(sorted(a), sorted(b));
}

/** Where the settings of `wanted` differ from those that are there. */
export function differingSettings(wanted: Partial<VifValues>, now: Partial<VifValues>): (keyof VifValues)[] {
  const names = Object.keys(wanted) as (keyof VifValues)[];
  return names.filter((name) => !sameSetting(wanted[name], now[name]));
}
