import type { HostSnapshot } from "../dom0/host";
import type { HostContext } from "../hosts/context";
import { type Fragment, parseFragment, renderFragment } from "../rules/fragment";
import { hostForwardingRules } from "../rules/host-forwarding";
import { describeOwner, sameStack } from "../rules/owner";
import { type Cidr, checkHostCidr, checkIpv4, overlaps, parseCidr } from "../validation/ipv4";
import { expected, type Problem } from "../validation/problem";
import { checkInterfaceName, checkText } from "../validation/scalars";
import { isUnknown } from "../validation/unknown";
import type { NetworkRecord } from "../xapi/networks";
import { anything, checkHostProfile, checkOwner, checkProperties } from "./check-common";
import { commonLines, type FragmentKind, type FragmentMarks, fragmentHandler } from "./fragment-resource";
import type { Handler, Props } from "./handler";
import { preflight } from "./preflight";
import { plain, textOf } from "./props";
import { knownNetworkUuid } from "./references";
import { roleNames, rulesText } from "./rules-text";

const checks = {
  host: checkHostProfile,
  owner: checkOwner,
  network: (property: string, value: unknown) => checkText(property, value, { min: 1 }),
  networkLabel: anything,
  address: checkHostCidr,
  externalInterface: checkInterfaceName,
  externalAddress: checkIpv4,
  rules: anything,
};

const compared = ["owner", "network", "address", "externalInterface", "externalAddress"];

const kind: FragmentKind = {
  kind: "host-forwarding",
  compared,
  compile(inputs, marks, networkUuid) {
    return renderFragment(fragmentOf(inputs, marks, networkUuid), hostForwardingRules(addressOf(inputs)));
  },
  outputs(inputs, networkUuid, snapshot) {
    const bridge = snapshot.bridges.find((candidate) => candidate.network === networkUuid);
    const names = roleNames(inputs, networkUuid, snapshot);
    const token = textOf(inputs, "token") ?? "";
    return {
      bridge: bridge?.name ?? "",
      bridgePresent: bridge?.present ?? false,
      resolvedExternalInterface: names.externalInterface ?? "",
      resolvedExternalAddress: names.externalAddress ?? "",
      rules: rulesText(hostForwardingRules(addressOf(inputs)), token, names, snapshot),
    };
  },
  // Its closing rules stand in INPUT.
  touchesManagement: () => true,
};

function fragmentOf(inputs: Props, marks: FragmentMarks, networkUuid: string): Fragment {
  return {
    kind: "host-forwarding",
    ...commonLines(inputs, marks, networkUuid),
    settings: [
      ["address", textOf(inputs, "address") ?? ""],
      ["forwarding", "interface"],
      ["arp", "on"],
      ["ipv6", "off"],
    ],
  };
}

function addressOf(inputs: Props): Cidr {
  return parseCidr(textOf(inputs, "address")) ?? { address: "0.0.0.0", prefix: 32 };
}

/** dom0 as a router: handler of the resource HostForwarding. */
export const hostForwardingHandler: Handler = fragmentHandler(kind, async (host, _olds, news) => {
  const failures = checkProperties(news, ["network", "address"], checks);
  const { reachable, problems } = await preflight(host, "dom0");
  failures.push(...problems);
  const snapshot = reachable ? await host.dom0.snapshot() : undefined;
  const networkUuid = reachable ? await knownNetworkUuid(host, news["network"], failures) : undefined;
  const cidr = parseCidr(news["address"]);
  if (snapshot !== undefined && failures.length === 0) {
    const { networks } = await host.poolView();
    const network = networks.find((candidate) => candidate.uuid === networkUuid);
    failures.push(...checkInternal(network, textOf(news, "externalInterface"), snapshot));
    if (cidr !== undefined) failures.push(...overlappingRoutes(cidr, ownBridges(news, network, snapshot), snapshot));
    failures.push(...checkOutside(news, snapshot), ...claimNetwork(host, news, networkUuid, cidr));
  }
  const rules = cidr === undefined ? undefined : hostForwardingRules(cidr);
  const text = rules && rulesText(rules, "", roleNames(news, networkUuid, snapshot));
  return { inputs: plain({ ...news, host: textOf(news, "host") ?? "default", rules: text ?? [] }), failures };
});

/** The closing rules would cut the host off on the network that it is managed by. */
function checkInternal(
  network: NetworkRecord | undefined,
  externalInterface: string | undefined,
  snapshot: HostSnapshot,
): Problem[] {
  if (network === undefined) return [];
  const outside = [snapshot.external?.interface, externalInterface];
  const isOutside = outside.includes(network.bridge);
  const isHostInternal = network.other_config["is_host_internal_management_network"] === "true";
  const isPhysical = network.PIFs.length > 0;
  if (!isOutside && !isHostInternal && !isPhysical) return [];
  const what = isHostInternal
    ? "belongs to the host itself"
    : isOutside
      ? `is the outside one (${network.bridge})`
      : `has physical interfaces (bridge ${network.bridge}), whose hosts the closing rules would cut off`;
  return [
    { property: "network", reason: `expected an internal network, found "${network.name_label}", which ${what}` },
  ];
}

/** Bridges on which this stack has put an address: a forwarding that moves or is replaced meets its own former route. */
function ownBridges(news: Props, network: NetworkRecord | undefined, snapshot: HostSnapshot): Set<string> {
  const networks = snapshot.fragments
    .map((stored) => parseFragment(stored.text))
    .filter((fragment) => fragment !== undefined && sameStack(fragment.owner, textOf(news, "owner") ?? ""))
    .map((fragment) => fragment?.network);
  const names = snapshot.bridges.filter((bridge) => networks.includes(bridge.network)).map((bridge) => bridge.name);
  return new Set([...names, network?.bridge].filter((name) => name !== undefined));
}

/** A declared outside must be there: what the host cannot resolve it waits for, and nobody would know why. */
function checkOutside(news: Props, snapshot: HostSnapshot): Problem[] {
  const [name, address] = [textOf(news, "externalInterface"), textOf(news, "externalAddress")];
  if (isUnknown([name, address])) return [];
  const there = snapshot.addresses.filter((found) => name === undefined || found.interface === name);
  const list = snapshot.addresses.map((found) => `${found.interface} ${found.address}`).join(", ");
  if (name !== undefined && there.length === 0) {
    return [expected("externalInterface", `an interface of the host that has an IPv4 address (${list})`, name)];
  }
  const isThere = address === undefined || there.some((found) => found.address.split("/")[0] === address);
  return isThere ? [] : [expected("externalAddress", `an address of the host (${list})`, address)];
}

/** Two forwardings of one run on one network, or for overlapping networks, would fight for the same packets. */
function claimNetwork(
  host: HostContext,
  news: Props,
  networkUuid: string | undefined,
  cidr: Cidr | undefined,
): Problem[] {
  const owner = textOf(news, "owner") ?? "";
  const mine = { subnet: cidr, network: networkUuid };
  const other = host.claims.forwarding(host.profile, owner, mine);
  if (other === undefined) return [];
  const property = other.on === "network" ? "network" : "address";
  return [
    {
      property,
      reason: `expected a network of its own, but this program's ${describeOwner(other.owner)} has ${other.on === "network" ? "the same network" : "an overlapping address"}`,
    },
  ];
}

/** A second route to the same addresses would take traffic away from where it goes today. */
function overlappingRoutes(cidr: Cidr, own: ReadonlySet<string>, snapshot: HostSnapshot): Problem[] {
  return snapshot.routes
    .filter((route) => !own.has(route.interface))
    .map((route) => ({ route, other: parseCidr(route.destination) }))
    .filter(({ other }) => other !== undefined && other.prefix > 0 && overlaps(cidr, other))
    .map(({ route }) => ({
      property: "address",
      reason: `expected a network of its own, found "${cidr.address}/${cidr.prefix}", which overlaps the host's route to ${route.destination} through ${route.interface}`,
    }));
}
