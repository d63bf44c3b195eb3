import { quoted } from "../../core/foreign-text";
import { sameName } from "../../core/same-name";
import type { HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { describeOwner } from "../../rules/owner";
import { type Cidr, overlaps, parseCidr } from "../../validation/ipv4";
import type { Problem } from "../../validation/problem";
import type { NetworkRecord } from "../../xapi/networks";
import type { Props } from "../handler";
import { textOf } from "../props";
import { fragmentsOf, ownFragments } from "./stored-fragments";

type IsOwn = ReturnType<typeof ownFragments>;

/** Why a forwarding cannot be on this host: what its network is, who else has its addresses, how the kernel is set. */
export function checkForwardingOnHost(
  host: HostContext,
  { olds, news }: { readonly olds: Props; readonly news: Props },
  network: NetworkRecord | undefined,
  snapshot: HostSnapshot,
): Problem[] {
  const cidr = parseCidr(news["address"]);
  const isOwn = ownFragments(olds, news);
  return [
    ...checkInternal(network, textOf(news, "externalInterface"), snapshot),
    ...checkOutsideBridge(textOf(news, "externalInterface"), snapshot),
    ...checkBridgeFilter(news, snapshot),
    ...heldNetworks(isOwn, network, cidr, snapshot),
    ...(cidr === undefined ? [] : overlappingRoutes(cidr, ownBridges(isOwn, network, snapshot), snapshot)),
    ...claimNetwork(host, news, network?.uuid, cidr),
  ];
}

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
    { property: "network", reason: `expected an internal network, found ${quoted(network.name_label)}, which ${what}` },
  ];
}

/** Through another forwarding's bridge packets would pass ahead of the rules that close it. */
function checkOutsideBridge(externalInterface: string | undefined, snapshot: HostSnapshot): Problem[] {
  // Neither an interface that nobody declared nor a bridge whose name is not known yet is the other.
  const network = snapshot.bridges.find(({ name }) => sameName(name, externalInterface))?.network;
  const holder = fragmentsOf(snapshot).find((other) => other.kind === "host-forwarding" && other.network === network);
  if (network === undefined || holder === undefined) return [];
  const reason = `expected an interface to the outside, found ${quoted(externalInterface)}, the bridge of the internal network that ${describeOwner(holder.owner)} forwards for`;
  return [{ property: "externalInterface", reason }];
}

/** Bridged frames would meet the closing rules, and other tools' rules: guests of one network could not talk any more. */
function checkBridgeFilter(news: Props, snapshot: HostSnapshot): Problem[] {
  const key = "net.bridge.bridge-nf-call-iptables";
  const isOn = snapshot.sysctls.some((found) => found.key === key && found.value === "1");
  if (!isOn || news["isolation"] === false) return [];
  const reason = `expected guests' own traffic to stay out of iptables, found ${key} = 1 on the host: the closing rules would cut guests of one network off from each other. Set it to 0 on dom0 (\`sysctl -w ${key}=0\`), or declare isolation: false`;
  return [{ property: "isolation", reason }];
}

/** Another stack's forwarding on the network, or with addresses of ours; it may be on a bridge that is not there now. */
function heldNetworks(
  isOwn: IsOwn,
  network: NetworkRecord | undefined,
  cidr: Cidr | undefined,
  snapshot: HostSnapshot,
): Problem[] {
  return fragmentsOf(snapshot).flatMap((other): Problem[] => {
    if (other.kind !== "host-forwarding" || isOwn(other)) return [];
    const theirs = parseCidr(other.settings.find(([key]) => key === "address")?.[1]);
    const wanted = "expected a network of its own, but";
    if (network?.uuid === other.network) {
      return [{ property: "network", reason: `${wanted} ${describeOwner(other.owner)} forwards for it on this host` }];
    }
    if (cidr === undefined || theirs === undefined || !overlaps(cidr, theirs)) return [];
    const found = `${describeOwner(other.owner)} has ${theirs.address}/${theirs.prefix} on this host`;
    return [{ property: "address", reason: `${wanted} ${found}, which overlaps ${cidr.address}/${cidr.prefix}` }];
  });
}

/** Bridges on which this stack has put an address: a forwarding that moves or is replaced meets its own former route. */
function ownBridges(isOwn: IsOwn, network: NetworkRecord | undefined, snapshot: HostSnapshot): Set<string> {
  const networks = fragmentsOf(snapshot)
    .filter(isOwn)
    .map((fragment) => fragment.network);
  const names = snapshot.bridges.filter((bridge) => networks.includes(bridge.network)).map((bridge) => bridge.name);
  return new Set([...names, network?.bridge].filter((name) => name !== undefined));
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
