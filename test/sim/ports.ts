import type { SimGuest, SimVif } from "./backplane.ts";
import { XapiFailure } from "./errors.ts";
import { showGuestAddress, staticIpv4 } from "./guest.ts";
import { stringMap, text, type World } from "./world.ts";

/** Gives a VIF its port, on a bridge that is made when it is the first. */
export async function attach(world: World, vif: string): Promise<void> {
  const { db } = world;
  requireBridge(world, text(db.row("VIF", vif)["network"]));
  const port = simVif(world, vif);
  await world.operations.oneAtATime("ports", () => world.backplane.plugVif(port));
  // XAPI writes back the device's MTU, whatever VIF.MTU said before.
  db.update("VIF", vif, { currently_attached: true, MTU: port.mtu });
  showGuestAddress(world, vif);
}

/** Takes the port away; an internal bridge goes with its last one, but on hosts where bridges stay. */
export async function detach(world: World, vif: string): Promise<void> {
  const shown = simVif(world, vif);
  const port = { ...shown, internal: shown.internal && !world.profile.bridgesStay };
  await world.operations.oneAtATime("ports", () => world.backplane.unplugVif(port));
  world.db.update("VIF", vif, { currently_attached: false });
  showGuestAddress(world, vif);
}

/** XAPI never makes the bridge of an unmanaged network, and nobody else does on a simulated host. */
export function requireBridge(world: World, network: string): void {
  const row = world.db.row("network", network);
  if (row["managed"] === false) throw new XapiFailure("BRIDGE_NOT_AVAILABLE", [text(row["bridge"])]);
}

/** True for a network without a PIF: its bridge comes and goes with its ports. */
export function isInternal(world: World, network: string): boolean {
  return world.db.where("PIF", "network", network).length === 0;
}

export function simGuest(world: World, vm: string): SimGuest {
  const row = world.db.row("VM", vm);
  return { uuid: text(row["uuid"]), name: text(row["name_label"]), domid: Number(row["domid"]) };
}

export function simVif(world: World, vif: string): SimVif {
  const row = world.db.row("VIF", vif);
  const network = text(row["network"]);
  const networkRow = world.db.row("network", network);
  return {
    uuid: text(row["uuid"]),
    guest: simGuest(world, text(row["VM"])),
    device: text(row["device"]),
    mac: text(row["MAC"]),
    mtu: Number(stringMap(row["other_config"])["mtu"] ?? networkRow["MTU"] ?? 1500),
    bridge: text(networkRow["bridge"]),
    networkUuid: text(networkRow["uuid"]),
    internal: isInternal(world, network),
    ipv4: staticIpv4(world, vif),
  };
}
