import type { HostSnapshot } from "../dom0/host";
import { type Fragment, renderFragment } from "../rules/fragment";
import { hostForwardingRules } from "../rules/host-forwarding";
import { type Cidr, checkHostCidr, checkIpv4, overlaps, parseCidr } from "../validation/ipv4";
import type { Problem } from "../validation/problem";
import { checkInterfaceName, checkText } from "../validation/scalars";
import type { NetworkRecord } from "../xapi/networks";
import { anything, checkHostProfile, checkOwner, checkProperties, checkRequired } from "./check-common";
import { type FragmentKind, type FragmentMarks, fragmentHandler } from "./fragment-resource";
import type { Handler, Props } from "./handler";
import { preflight } from "./preflight";
import { plain, textOf } from "./props";
import { knownNetworkUuid, networkUuidOf } from "./references";
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
  networkUuid: (host, inputs) => networkUuidOf(host, textOf(inputs, "network") ?? ""),
};

function fragmentOf(inputs: Props, marks: FragmentMarks, networkUuid: string): Fragment {
  const owner = textOf(inputs, "owner") ?? "";
  return {
    kind: "host-forwarding",
    ...{ token: marks.token, incarnation: marks.incarnation, owner },
    name: owner.slice(owner.lastIndexOf("::") + 2),
    network: networkUuid,
    externalInterface: textOf(inputs, "externalInterface") ?? "auto",
    externalAddress: textOf(inputs, "externalAddress") ?? "auto",
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
  const failures = [...checkRequired(news, ["network", "address"]), ...checkProperties(news, checks)];
  const { reachable, problems } = await preflight(host, "dom0");
  failures.push(...problems);
  const snapshot = reachable ? await host.dom0.snapshot() : undefined;
  const networkUuid = reachable ? await knownNetworkUuid(host, news["network"], failures) : undefined;
  const cidr = parseCidr(news["address"]);
  if (snapshot !== undefined && failures.length === 0) {
    const { networks } = await host.poolView();
    const network = networks.find((candidate) => candidate.uuid === networkUuid);
    failures.push(...checkInternal(network, textOf(news, "externalInterface"), snapshot));
    if (cidr !== undefined) failures.push(...overlappingRoutes(cidr, network?.bridge, snapshot));
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
  if (!isOutside && !isHostInternal) return [];
  const what = isHostInternal ? "belongs to the host itself" : `is the outside one (${network.bridge})`;
  return [
    { property: "network", reason: `expected an internal network, found "${network.name_label}", which ${what}` },
  ];
}

/** A second route to the same addresses would take traffic away from where it goes today. */
function overlappingRoutes(cidr: Cidr, own: string | undefined, snapshot: HostSnapshot): Problem[] {
  return snapshot.routes
    .filter((route) => route.interface !== own)
    .map((route) => ({ route, other: parseCidr(route.destination) }))
    .filter(({ other }) => other !== undefined && other.prefix > 0 && overlaps(cidr, other))
    .map(({ route }) => ({
      property: "address",
      reason: `expected a network of its own, found "${cidr.address}/${cidr.prefix}", which overlaps the host's route to ${route.destination} through ${route.interface}`,
    }));
}
