import { vifOperations } from "./classes/vif.ts";
import { vmOperations } from "./classes/vm.ts";
import type { World } from "./world.ts";

/** Declares the fields that follow from other objects: the other sides of references, and what is allowed now. */
export function deriveFields(world: World): void {
  const { db } = world;
  db.backReference("network", "VIFs", "VIF", "network");
  db.backReference("network", "PIFs", "PIF", "network");
  db.backReference("VM", "VIFs", "VIF", "VM");
  db.backReference("VM", "snapshots", "VM", "snapshot_of");
  db.backReference("host", "PIFs", "PIF", "host");
  db.backReference("host", "PBDs", "PBD", "host");
  db.backReference("host", "resident_VMs", "VM", "resident_on");
  db.backReference("PIF", "VLAN_slave_of", "VLAN", "tagged_PIF");
  db.derive("VIF", "allowed_operations", (ref) => vifOperations(world, ref));
  db.derive("VM", "allowed_operations", (ref) => vmOperations(world, ref));
}
