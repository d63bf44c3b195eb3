import type { HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { contains, parseCidr } from "../../validation/ipv4";
import type { Problem } from "../../validation/problem";
import type { Props } from "../handler";
import { addressesOfHosts, storageOf } from "./infrastructure";

/**
 * This computer, the pool's hosts and its storage servers, where dom0 reaches them through its default route only: an
 * internal network with their addresses would have dom0 look for them on its bridge. Networks with a route of their own are
 * a matter of conflicts.
 */
export async function checkPeers(host: HostContext, news: Props, snapshot: HostSnapshot): Promise<Problem[]> {
  const cidr = parseCidr(news["address"]);
  if (cidr === undefined) return [];
  const [hosts, storage] = await Promise.all([addressesOfHosts(host), storageOf(host)]);
  const peers = [
    ...(snapshot.client === undefined ? [] : [{ address: snapshot.client, whose: "this computer's" }]),
    ...hosts.map((address) => ({ address, whose: "that of a host of the pool" })),
    ...storage.addresses.map((address) => ({ address, whose: "that of a storage server of the pool" })),
  ];
  // A guest of the network may be where this runs.
  const hasRoute = (address: string) =>
    snapshot.routes.some(({ destination }) => {
      const network = parseCidr(destination);
      return network !== undefined && network.prefix > 0 && contains(network, address);
    });
  return peers
    .filter(({ address }) => contains(cidr, address) && !hasRoute(address))
    .map(({ address, whose }) => ({
      property: "address",
      reason: `expected a network of its own, found "${cidr.address}/${cidr.prefix}", which holds the address ${address}, ${whose}: dom0 could not reach it any more`,
    }));
}
