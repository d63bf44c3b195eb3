import type { HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { describeOwner } from "../../rules/owner";
import { parseIpv4 } from "../../validation/ipv4";
import type { Props } from "../handler";
import { textOf } from "../props";
import { type StorageServers, storageServers } from "./storage-servers";

/**
 * Addresses that guests shall not reach in dom0's name: the pool's other members, and servers that the pool keeps storage
 * on; with prefix length. dom0's own are guarded by INPUT. Names are not resolved: dom0 may resolve them differently from
 * here, and tomorrow differently from today.
 */
export async function infrastructureOf(host: HostContext, news: Props, snapshot: HostSnapshot): Promise<string[]> {
  const [hosts, storage] = await Promise.all([addressesOfHosts(host), storageOf(host)]);
  if (storage.names.length > 0) host.warn(unguarded(news, storage.names));
  const own = new Set(snapshot.addresses.map(({ address }) => address.split("/")[0]));
  const others = [...hosts, ...storage.addresses];
  return [...new Set(others)]
    .filter((address) => parseIpv4(address) !== undefined && !own.has(address))
    .map((address) => `${address}/32`)
    .sort();
}

/** Addresses of the pool's hosts: of their management and, where it has several hosts, of their other interfaces as well. */
export async function addressesOfHosts(host: HostContext): Promise<string[]> {
  const { hosts } = await host.identity();
  const pifs = hosts.length < 2 ? [] : await (await host.poolView()).pifs();
  const all = [...hosts.map(({ address }) => address), ...pifs.map(({ IP }) => IP)];
  return [...new Set(all)].filter((address) => address !== "");
}

/** The servers that the pool keeps storage on; one XAPI call for each look at the pool. */
export async function storageOf(host: HostContext): Promise<StorageServers> {
  const pbds = await (await host.poolView()).pbds();
  return storageServers(pbds.map((pbd) => pbd.device_config));
}

function unguarded(news: Props, names: readonly string[]): string {
  const listed = names.map((name) => JSON.stringify(name.slice(0, 100))).join(", ");
  return `${describeOwner(textOf(news, "owner") ?? "")} keeps guests away from the pool's storage servers by address, but the pool names ${names.length === 1 ? "one" : "some"} by host name: ${listed}. Guests reach ${names.length === 1 ? "it" : "them"} in dom0's name. Give the storage an address instead, list what guests may reach in outbound, or say outboundToInfrastructure: true if that is meant.`;
}
