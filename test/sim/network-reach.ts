import { XapiFailure } from "./errors.ts";
import { isInternal } from "./ports.ts";
import { nullRef } from "./types.ts";
import { stringMap, text, type World } from "./world.ts";

/** Throws unless a host can bring up a network for a VM: the order of complaints is that of xapi's start. */
export function assertCanSee(world: World, vm: string, host: string, network: string): void {
  if (!isAvailableOn(world, host, network)) throw new XapiFailure("VM_REQUIRES_NETWORK", [vm, network]);
  if (slavePif(world, host, network) !== undefined) {
    throw new XapiFailure("HOST_CANNOT_ATTACH_NETWORK", [host, network]);
  }
}

/** The same for a VIF that changes its network under a running guest; either reason has one code then. */
export function assertCanMoveTo(world: World, host: string, network: string): void {
  if (isAvailableOn(world, host, network) && slavePif(world, host, network) === undefined) return;
  throw new XapiFailure("HOST_CANNOT_ATTACH_NETWORK", [host, network]);
}

/** A bond's member has no bridge of its own, so nothing can be plugged there. */
export function assertNoSlave(world: World, host: string, network: string): void {
  const slave = slavePif(world, host, network);
  if (slave !== undefined) throw new XapiFailure("CANNOT_PLUG_BOND_SLAVE", [slave]);
}

/** True when every enabled host has a PIF on the network that is not a bond's: only then HA may restart a VM anywhere. */
export function isProperlyShared(world: World, network: string): boolean {
  const { db } = world;
  const pifs = db.where("PIF", "network", network).map((pif) => db.row("PIF", pif));
  const withPif = pifs.filter((pif) => pif["bond_slave_of"] === nullRef).map((pif) => pif["host"]);
  return db.where("host", "enabled", true).every((host) => withPif.includes(host));
}

/** A network with PIFs is where these are; one without is where its VMs run, unless somebody vouches for it. */
function isAvailableOn(world: World, host: string, network: string): boolean {
  const { db } = world;
  if (!isInternal(world, network)) return localPifs(world, host, network).length > 0;
  const row = db.row("network", network);
  if (stringMap(row["other_config"])["assume_network_is_shared"] === "true" || row["managed"] === false) return true;
  const vms = db.where("VIF", "network", network).map((vif) => db.row("VM", text(db.row("VIF", vif)["VM"])));
  const hosts = vms.filter((vm) => vm["power_state"] === "Running").map((vm) => vm["resident_on"]);
  return hosts.length === 0 || hosts.includes(host);
}

function slavePif(world: World, host: string, network: string): string | undefined {
  return localPifs(world, host, network).find((pif) => world.db.row("PIF", pif)["bond_slave_of"] !== nullRef);
}

function localPifs(world: World, host: string, network: string): string[] {
  return world.db.where("PIF", "network", network).filter((pif) => world.db.row("PIF", pif)["host"] === host);
}
