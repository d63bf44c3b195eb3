import { quoted } from "../../core/foreign-text";
import { checkAllowedAddresses } from "../../validation/allowed-addresses";
import { checkHostCidr, checkHostPart, checkIpv4, contains, parseCidr, subnetOf } from "../../validation/ipv4";
import { expected, type Problem } from "../../validation/problem";
import {
  checkBoolean,
  checkDevice,
  checkInteger,
  checkMac,
  checkOneOf,
  checkText,
  checkTextMap,
} from "../../validation/scalars";
import { isUnknown } from "../../validation/unknown";
import { anything, checkHostProfile, checkOwner, checkProperties, type PropertyCheck } from "../check-common";
import type { Props } from "../handler";
import { plain } from "../props";
import { offloads } from "./fields";

/** XAPI drops a rate of which 50 ms do not fit into 32 bits (xapi_xenops: bytes per interval). */
const highestRate = 83_886_079;

const checks: Readonly<Record<string, PropertyCheck>> = {
  host: checkHostProfile,
  owner: checkOwner,
  vm: (property, value) => checkText(property, value, { min: 1 }),
  network: (property, value) => checkText(property, value, { min: 1 }),
  device: checkDevice,
  mac: checkMac,
  mtu: (property, value) => checkInteger(property, value, 68, 65535, "an MTU in bytes"),
  lockingMode: (property, value) => checkOneOf(property, value, ["network_default", "locked", "unlocked", "disabled"]),
  ipv4Allowed: (property, value) => checkAllowedAddresses("ipv4", property, value),
  ipv6Allowed: (property, value) => checkAllowedAddresses("ipv6", property, value),
  rateLimitKBytesPerSecond: (property, value) =>
    checkInteger(property, value, 1, highestRate, "a rate in kilobytes per second"),
  ethtool: checkEthtool,
  otherConfig: checkOtherConfig,
  plugged: checkBoolean,
  ipv4: checkGuestIpv4,
  onDeviceConflict: (property, value) => checkOneOf(property, value, ["fail", "takeOver", "replace"]),
  adopt: checkAdopt,
  vmUuid: anything,
  guestSetup: anything,
  guestAddresses: anything,
  drift: anything,
};

/** Defaults filled in, as far as a VIF that is adopted has any; a device given as number becomes XAPI's text. */
export function normalisedVif(given: Props): Props {
  const { device, adopt, ...rest } = plain(given);
  const isAdopted = adopt !== undefined;
  const named = typeof device === "number" ? String(device) : device;
  const byUuid = typeof adopt === "object" && adopt !== null;
  return plain({
    host: "default",
    ...(isAdopted ? { adopt } : { plugged: true, onDeviceConflict: "fail" }),
    ...rest,
    device: named ?? (byUuid ? undefined : "0"),
  });
}

/** What can be said of a VIF's inputs without the host. */
export function checkVifInputs(news: Props): Problem[] {
  const isAdopted = news["adopt"] !== undefined;
  const problems = checkProperties(news, isAdopted ? ["vm"] : ["vm", "network"], checks);
  if (isAdopted && news["onDeviceConflict"] !== undefined) {
    const reason = "expected adopt or onDeviceConflict, found both: adopt takes the VIF that is there; leave one out";
    problems.push({ property: "onDeviceConflict", reason });
  }
  return problems;
}

function checkAdopt(property: string, value: unknown): Problem[] {
  if (value === true) return [];
  const wanted = 'true, or an object such as { uuid: "…" }';
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [expected(property, wanted, value)];
  const { uuid, ...rest } = value as Props;
  const unknown = Object.keys(rest).map((key) => ({
    property: `${property}.${key}`,
    reason: "unknown property; known is uuid",
  }));
  const isUuid = typeof uuid === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid);
  return isUuid || isUnknown(uuid) ? unknown : [...unknown, expected(`${property}.uuid`, "the UUID of a VIF", uuid)];
}

function checkEthtool(property: string, value: unknown): Problem[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return [expected(property, 'an object such as { tx: "off" }', value)];
  }
  return Object.entries(value).flatMap(([name, state]) => {
    const path = `${property}.${name}`;
    const isKnown = (offloads as readonly string[]).includes(name);
    if (!isKnown) return [{ property: path, reason: `expected one of ${offloads.join(", ")}, found ${quoted(name)}` }];
    return isUnknown(state) ? [] : checkOneOf(path, state, ["on", "off"]);
  });
}

/** Keys with a property of their own would be written twice. */
function checkOtherConfig(property: string, value: unknown): Problem[] {
  const keys = value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : [];
  const own = keys.filter((key) => key === "mtu" || key.startsWith("ethtool-"));
  const others = Object.fromEntries(Object.entries(value ?? {}).filter(([key]) => !own.includes(key)));
  return [
    ...own.map((key) => ({
      property: `${property}[${JSON.stringify(key)}]`,
      reason: `the key ${quoted(key)} has a property of its own: ${key === "mtu" ? "mtu" : "ethtool"}; use that`,
    })),
    ...checkTextMap(property, own.length > 0 ? others : value, []),
  ];
}

function checkGuestIpv4(property: string, value: unknown): Problem[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return [expected(property, 'an object such as { address: "192.168.100.11/24", gateway: "192.168.100.1" }', value)];
  }
  const { address, gateway, ...rest } = value as Props;
  const problems = Object.keys(rest).map((key) => ({
    property: `${property}.${key}`,
    reason: "unknown property; known are address, gateway",
  }));
  const own = isUnknown(address) ? [] : checkHostCidr(`${property}.address`, address);
  return [...problems, ...own, ...checkGateway(`${property}.gateway`, gateway, address)];
}

function checkGateway(property: string, gateway: unknown, address: unknown): Problem[] {
  if (gateway === undefined || isUnknown(gateway)) return [];
  const malformed = checkIpv4(property, gateway);
  const network = isUnknown(address) ? undefined : parseCidr(address);
  if (malformed.length > 0 || network === undefined) return malformed;
  if (!contains(network, String(gateway))) {
    return [expected(property, `an address in the guest's network ${subnetOf(network)}`, gateway)];
  }
  const reserved = checkHostPart(property, network, String(gateway));
  if (reserved.length > 0) return reserved;
  return gateway === network.address ? [expected(property, "an address other than the guest's own", gateway)] : [];
}
