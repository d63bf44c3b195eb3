import type { HostSnapshot } from "../../dom0/host";
import { checkCidrs, normalisedCidr } from "../../validation/cidr-list";
import { type Cidr, checkHostPart, checkIpv4, contains, parseCidr, subnetOf } from "../../validation/ipv4";
import { checkPortRange, parsePortRange, renderPortRange, sizeOf } from "../../validation/port-range";
import { expected, type Problem } from "../../validation/problem";
import { checkBoolean, checkInterfaceName, checkOneOf, checkText, protocols } from "../../validation/scalars";
import { isUnknown } from "../../validation/unknown";
import { anything, checkHostProfile, checkOwner, checkProperties } from "../check-common";
import type { Props } from "../handler";
import { textOf } from "../props";
import { checkOutside } from "./outside-check";
import { countForwardRules, externalPortsOf, targetPortsOf } from "./port-forward-spec";

/** More rules than this for one forward cost every packet of its host. */
const mostRules = 1000;

const checks = {
  host: checkHostProfile,
  owner: checkOwner,
  forwarding: (property: string, value: unknown) => checkText(property, value, { min: 1 }),
  forwardingAddress: anything,
  network: anything,
  networkLabel: anything,
  externalInterface: checkInterfaceName,
  externalAddress: checkIpv4,
  protocol: (property: string, value: unknown) => checkOneOf(property, value, protocols),
  externalPort: checkPortRange,
  target: checkIpv4,
  targetPort: checkPortRange,
  sources: checkCidrs,
  notSources: checkCidrs,
  hairpin: checkBoolean,
  enabled: checkBoolean,
  description: (property: string, value: unknown) => checkText(property, value, { min: 1 }),
  allowManagementPort: checkBoolean,
  rules: anything,
  drift: anything,
  networkUuid: anything,
};

const required = ["forwarding", "network", "externalPort", "target"];

/** What can be said without the host: the values themselves. */
export function checkForwardInputs(news: Props): Problem[] {
  // The class always gives one: the engine leaves out what comes from a resource that failed in this run.
  const isGone = news["forwarding"] === undefined;
  const gone = "expected a HostForwarding that is there, found one that failed in this run: its own message says why";
  const failed = isGone ? [{ property: "forwarding", reason: gone }] : [];
  const given = isGone ? required.filter((key) => !["forwarding", "network"].includes(key)) : required;
  return [...failed, ...checkProperties(news, given, checks), ...checkTarget(news), ...checkRange(news)];
}

/** What only the host can tell of the values. */
export function checkOnHost(news: Props, snapshot: HostSnapshot): Problem[] {
  return checkOutside(news, snapshot);
}

/**
 * Defaults filled in, one spelling for ports and networks, and a prefix length taken off the target, so that a XenVif's
 * address can be passed as it is.
 */
export function normalisedForward(given: Props): Props {
  const target = textOf(given, "target");
  const isAddress = target !== undefined && !isUnknown(target) && parseCidr(target) !== undefined;
  const external = parsePortRange(given["externalPort"]);
  const wanted = parsePortRange(given["targetPort"]);
  const fits = external !== undefined && wanted !== undefined && [1, sizeOf(external)].includes(sizeOf(wanted));
  return {
    host: "default",
    ...given,
    protocol: given["protocol"] ?? "tcp",
    ...(external === undefined
      ? {}
      : { externalPort: external.from === external.to ? external.from : renderPortRange(external) }),
    // One mistake is one message: a malformed external port is no default for the other.
    targetPort: fits ? wanted.from : (given["targetPort"] ?? external?.from ?? unknownOr(given["externalPort"])),
    ...(isAddress ? { target: target.split("/")[0] } : {}),
    ...normalisedLists(given, ["sources", "notSources"]),
  };
}

function unknownOr(value: unknown): unknown {
  return isUnknown(value) ? value : undefined;
}

/** Lists of networks in the spelling of iptables. */
export function normalisedLists(given: Props, keys: readonly string[]): Props {
  const lists = keys.map((key) => [key, given[key]] as const).filter(([, list]) => Array.isArray(list));
  return Object.fromEntries(
    lists.map(([key, list]) => [key, (list as unknown[]).map((item) => normalisedCidr(item) ?? item)]),
  );
}

function checkTarget(news: Props): Problem[] {
  const target = textOf(news, "target");
  const network = parseCidr(news["forwardingAddress"]);
  if (target === undefined || network === undefined || checkIpv4("target", target).length > 0) return [];
  return checkInside(network, target);
}

function checkInside(network: Cidr, target: string): Problem[] {
  const property = "target";
  if (!contains(network, target)) {
    return [expected(property, `an address in the forwarding's network ${subnetOf(network)}`, target)];
  }
  if (target === network.address) {
    return [expected(property, `the address of a guest, not dom0's own (${network.address})`, target)];
  }
  return checkHostPart(property, network, target);
}

function checkRange(news: Props): Problem[] {
  const external = externalPortsOf(news);
  const wanted = parsePortRange(news["targetPort"]);
  if (external === undefined || wanted === undefined) return [];
  const [size, found] = [sizeOf(external), sizeOf(wanted)];
  if (found !== 1 && found !== size) {
    return [expected("targetPort", `the first port, or a range of ${size} like externalPort`, news["targetPort"])];
  }
  const last = targetPortsOf(news)?.to ?? 0;
  if (last > 65535) {
    return [expected("targetPort", `a range of ${size} ports that ends at 65535 at most`, news["targetPort"])];
  }
  const count = countForwardRules(news);
  if (count <= mostRules) return [];
  const hint =
    "A range that keeps its numbers takes one rule, a shifted one takes one for each port and each of sources";
  return [
    {
      property: "externalPort",
      reason: `expected at most ${mostRules} rules for one forward, found ${count}. ${hint}`,
    },
  ];
}
