import { checkHostCidr, checkHostPart, checkIpv4, contains, parseCidr, subnetOf } from "../validation/ipv4";
import { expected, type Problem } from "../validation/problem";
import { checkDevice, checkMac, checkOneOf, checkText } from "../validation/scalars";
import { isUnknown } from "../validation/unknown";
import { checkHostProfile, checkOwner, checkProperties } from "./check-common";
import type { Props } from "./handler";
import { plain } from "./props";

const checks = {
  host: checkHostProfile,
  owner: checkOwner,
  vm: (property: string, value: unknown) => checkText(property, value, { min: 1 }),
  network: (property: string, value: unknown) => checkText(property, value, { min: 1 }),
  device: checkDevice,
  mac: checkMac,
  ipv4: checkGuestIpv4,
  onDeviceConflict: (property: string, value: unknown) => checkOneOf(property, value, ["fail", "takeOver"]),
};

/** Defaults filled in; a device given as number becomes XAPI's text. */
export function normalisedVif(given: Props): Props {
  const device = given["device"];
  return {
    ...{ host: "default", onDeviceConflict: "fail" },
    ...plain(given),
    device: typeof device === "number" ? String(device) : (device ?? "0"),
  };
}

export function checkVifInputs(news: Props): Problem[] {
  return checkProperties(news, ["vm", "network"], checks);
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
