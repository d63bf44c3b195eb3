import { checkCidrs, checkNetwork, normalisedCidr } from "../../validation/cidr-list";
import { checkHostCidr, checkIpv4, overlaps, parseCidr } from "../../validation/ipv4";
import { checkPortRange } from "../../validation/port-range";
import { expected, type Problem } from "../../validation/problem";
import {
  checkBoolean,
  checkInteger,
  checkInterfaceName,
  checkOneOf,
  checkText,
  protocols,
} from "../../validation/scalars";
import { isUnknown } from "../../validation/unknown";
import { anything, checkHostProfile, checkOwner, checkProperties, type PropertyCheck } from "../check-common";
import type { Props } from "../handler";
import { plain } from "../props";
import { normalisedLists } from "./port-forward-check";

const oneOf =
  (...choices: readonly string[]): PropertyCheck =>
  (property, value) =>
    checkOneOf(property, value, choices);

const checks: Readonly<Record<string, PropertyCheck>> = {
  host: checkHostProfile,
  owner: checkOwner,
  network: (property, value) => checkText(property, value, { min: 1 }),
  networkLabel: anything,
  address: checkHostCidr,
  externalInterface: checkInterfaceName,
  externalAddress: checkIpv4,
  outbound: checkOutbound,
  outboundToInfrastructure: checkBoolean,
  inbound: oneOf("forwarded", "network"),
  snat: oneOf("auto", "address", "masquerade", "off"),
  forwardingScope: oneOf("interface", "global"),
  arp: checkBoolean,
  proxyArp: checkBoolean,
  sendRedirects: checkBoolean,
  arpFilter: checkBoolean,
  clampMss: checkClamp,
  guestAccessToHost: checkAccess,
  isolation: checkBoolean,
  persistence: oneOf("auto", "none"),
  rules: anything,
  drift: anything,
  bridge: anything,
  networkUuid: anything,
  shadowedBy: anything,
  resolvedExternalInterface: anything,
  resolvedExternalAddress: anything,
};

/** What can be said without the host: the values themselves. */
export function checkForwardingInputs(news: Props): Problem[] {
  return [...checkProperties(news, ["network", "address"], checks), ...checkSources(news)];
}

/** Only guests of the network send through its bridge; a source that is none of theirs would open nothing. */
function checkSources({ address, guestAccessToHost: list }: Props): Problem[] {
  const network = parseCidr(address);
  if (network === undefined || !Array.isArray(list)) return [];
  return list.flatMap((entry: unknown, index): Problem[] => {
    const given = entry !== null && typeof entry === "object" ? (entry as Props)["source"] : undefined;
    const source = parseCidr(normalisedCidr(given));
    if (source === undefined || (source.prefix >= network.prefix && overlaps(network, source))) return [];
    const property = `guestAccessToHost[${index}].source`;
    return [expected(property, "a part of the network that address names, as only its guests come this way", given)];
  });
}

/** Networks in one spelling. */
export function normalisedForwarding(given: Props): Props {
  const list = given["guestAccessToHost"];
  const access = Array.isArray(list) ? { guestAccessToHost: list.map(normalisedAccess) } : {};
  return { host: "default", ...given, ...normalisedLists(given, ["outbound"]), ...access };
}

function normalisedAccess(entry: unknown): unknown {
  if (entry === null || typeof entry !== "object" || Array.isArray(entry)) return entry;
  const source = normalisedCidr((entry as Props)["source"]);
  return source === undefined ? entry : plain({ ...entry, source });
}

function checkOutbound(property: string, value: unknown): readonly Problem[] {
  if (Array.isArray(value)) return checkCidrs(property, value, 'say "any"');
  if (value === "any" || value === "none") return [];
  return [expected(property, '"any", "none" or a list of networks', value)];
}

/** Smaller segments than the 536 bytes that every host takes (RFC 879) would only slow everything down. */
function checkClamp(property: string, value: unknown): readonly Problem[] {
  if (value === "auto" || value === "off") return [];
  if (typeof value === "number") return checkInteger(property, value, 536, 9000, "a segment size in bytes");
  return [expected(property, '"auto", "off" or a segment size in bytes', value)];
}

const accessChecks: Readonly<Record<string, PropertyCheck>> = {
  source: (property, value) =>
    checkNetwork(property, 'a network such as "192.168.100.0/28", or an address', value, "leave source out"),
  protocol: oneOf(...protocols),
  port: checkPortRange,
};

function checkAccess(property: string, value: unknown): readonly Problem[] {
  if (value === "none") return [];
  if (!Array.isArray(value))
    return [expected(property, '"none" or a list such as [{ protocol: "udp", port: 123 }]', value)];
  if (value.length > 100) return [expected(property, "at most 100 entries", value)];
  return value.flatMap((entry, index) => checkEntry(`${property}[${index}]`, entry));
}

function checkEntry(property: string, entry: unknown): readonly Problem[] {
  const wanted = "an object with source, protocol or port";
  if (entry === null || typeof entry !== "object" || Array.isArray(entry)) return [expected(property, wanted, entry)];
  const given = Object.entries(entry).filter(([, value]) => value !== undefined);
  if (given.length === 0) return [expected(property, wanted, entry)];
  return given.flatMap(([key, value]) => {
    const check = Object.hasOwn(accessChecks, key) ? accessChecks[key] : undefined;
    if (check === undefined) return [{ property, reason: `expected ${wanted}, found the key ${JSON.stringify(key)}` }];
    return isUnknown(value) ? [] : check(`${property}.${key}`, value);
  });
}
