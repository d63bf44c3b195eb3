import { type Endpoint, endSessions, masterOf } from "./pool-role.ts";
import { nullRef } from "./types.ts";
import type { World } from "./world.ts";

/** The toolstack of a host starts again: on the master sessions end and the names of bridges begin anew. */
export function restartToolstack(world: World, host: number): void {
  if (endpointOf(world, host) !== masterOf(world)) return;
  endSessions(world);
  world.nextBridge = 0;
}

/** Nothing runs on the host after a reboot but dom0. */
export function rebootHost(world: World, host: number): void {
  const { host: rebooted } = endpointOf(world, host);
  for (const vm of world.db.refs("VM")) {
    const { is_control_domain, resident_on } = world.db.row("VM", vm);
    // A guest that was just being started is resident nowhere yet.
    if (is_control_domain === true || ![rebooted, nullRef].includes(String(resident_on))) continue;
    world.db.update("VM", vm, { power_state: "Halted", domid: -1, resident_on: nullRef, current_operations: {} });
    for (const vif of world.db.where("VIF", "VM", vm)) {
      world.db.update("VIF", vif, { currently_attached: false, current_operations: {} });
    }
  }
  if (world.endpoints.length === 1) world.lastDomid = 0;
  restartToolstack(world, host);
}

/** Another host takes over: everybody's session ends. */
export function designateMaster(world: World, host: number): void {
  const { host: master } = endpointOf(world, host);
  const [pool = ""] = world.db.refs("pool");
  world.db.update("pool", pool, { master });
  restartToolstack(world, host);
}

function endpointOf(world: World, host: number): Endpoint {
  const endpoint = world.endpoints[host];
  if (endpoint === undefined) throw new Error(`The simulated pool has no host ${host}.`);
  return endpoint;
}
