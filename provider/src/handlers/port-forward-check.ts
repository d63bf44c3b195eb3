import type { HostSnapshot } from "../dom0/host";
import type { HostContext } from "../hosts/context";
import { parseFragment } from "../rules/fragment";
import { describeOwner, sameStack } from "../rules/owner";
import { checkManagementPort, checkPoolPort, isXapiPort, xapiPortForwarded } from "../rules/ports";
import { type Cidr, checkHostPart, checkIpv4, contains, parseCidr, subnetOf } from "../validation/ipv4";
import { expected, type Problem } from "../validation/problem";
import { checkInterfaceName, checkOneOf, checkPort, checkText, type Protocol, protocols } from "../validation/scalars";
import { isUnknown } from "../validation/unknown";
import { anything, checkHostProfile, checkOwner, checkProperties } from "./check-common";
import type { Props } from "./handler";
import { numberOf, textOf } from "./props";

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
  externalPort: checkPort,
  target: checkIpv4,
  targetPort: checkPort,
  rules: anything,
};

const required = ["forwarding", "network", "externalPort", "target"];

/** What can be said without the host: the values themselves, and the other forwards of this run. */
export function checkForwardInputs(host: HostContext, news: Props): Problem[] {
  const failures = checkProperties(news, required, checks);
  failures.push(...checkTarget(news), ...checkPortChoice(host, news));
  if (failures.length === 0) failures.push(...claimPort(host, news));
  return failures;
}

/** Defaults filled in, and a prefix length taken off the target, so that a XenVif's address can be passed as it is. */
export function normalisedForward(given: Props): Props {
  const target = textOf(given, "target");
  const isAddress = target !== undefined && !isUnknown(target) && parseCidr(target) !== undefined;
  return {
    ...given,
    host: textOf(given, "host") ?? "default",
    protocol: given["protocol"] ?? "tcp",
    targetPort: given["targetPort"] ?? usableDefault(given["externalPort"]),
    ...(isAddress ? { target: target.split("/")[0] } : {}),
  };
}

/** One mistake is one message: a malformed external port is no default for the other. */
function usableDefault(externalPort: unknown): unknown {
  return isUnknown(externalPort) || checkPort("externalPort", externalPort).length === 0 ? externalPort : undefined;
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

function checkPortChoice(host: HostContext, news: Props): Problem[] {
  const port = numberOf(news, "externalPort");
  if (port === undefined) return [];
  const way = { xapiThroughSsh: host.xapiVia === "ssh" };
  return checkManagementPort("externalPort", news["protocol"] as Protocol, port, way);
}

/** What forwarding XAPI's own port does to others; for a host that answers. */
export async function checkXapiPort(host: HostContext, news: Props): Promise<Problem[]> {
  const [protocol, port] = [news["protocol"], news["externalPort"]];
  if (!isXapiPort(protocol, port)) return [];
  const { hosts } = await host.identity();
  const problems = checkPoolPort("externalPort", protocol, port, hosts.length);
  if (problems.length === 0) host.warn(xapiPortForwarded);
  return problems;
}

/** Two resources of one run must not claim the same port; which of them would win could not be told. */
function claimPort(host: HostContext, news: Props): Problem[] {
  const parts = ["host", "externalAddress", "protocol", "externalPort"].map((key) => news[key]);
  if (isUnknown(parts)) return [];
  const other = host.claims.claim(parts.map((part) => String(part ?? "auto")).join("/"), textOf(news, "owner") ?? "");
  if (other === undefined) return [];
  const port = `${news["protocol"]} port ${news["externalPort"]}`;
  const both = `${describeOwner(other)} and ${describeOwner(textOf(news, "owner") ?? "")}`;
  return [
    {
      property: "externalPort",
      reason: `expected one forward a port, but two of this program ask for ${port}: ${both}`,
    },
  ];
}

/** A port that another stack holds on the host; an older declaration of the same stack is no conflict. */
export function checkHeldPort(news: Props, snapshot: HostSnapshot): Problem[] {
  const owner = textOf(news, "owner") ?? "";
  return snapshot.fragments
    .map((stored) => parseFragment(stored.text))
    .filter((other) => other?.claim?.protocol === news["protocol"] && other?.claim?.port === news["externalPort"])
    .filter((other) => other !== undefined && other.owner !== owner && !sameStack(other.owner, owner))
    .map((other) => takenBy(news, describeOwner(other?.owner ?? "")));
}

function takenBy(news: Props, culprit: string): Problem {
  const port = `${news["protocol"]} port ${news["externalPort"]}`;
  return {
    property: "externalPort",
    reason: `expected a free port, found ${port}: ${culprit} holds it on this host. Choose another external port`,
  };
}
