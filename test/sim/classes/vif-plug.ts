import { randomUUID } from "node:crypto";
import { XapiFailure } from "../errors.ts";
import { showGuestAddress } from "../guest.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { assertCanMoveTo } from "../network-reach.ts";
import { attach, detach, isInternal, requireBridge, simVif } from "../ports.ts";
import { text, type World } from "../world.ts";

const signature = "self ref<VIF>";

/** What moves ports of running guests. */
export const vifPlugMethods: Method[] = [
  method("VIF.plug", signature, "void", onVif("plug", attach), { async: true }),
  method("VIF.unplug", signature, "void", onVif("unplug", detach), { async: true }),
  method("VIF.unplug_force", signature, "void", onVif("unplug", detach), { async: true, since: "1.9" }),
  method("VIF.move", "self ref<VIF>, network ref<network>", "void", move, { async: true, since: "2.6" }),
];

/** Waits until nothing else runs on the VM, looks whether the operation is possible, and shows it while it runs. */
function onVif(operation: "plug" | "unplug", work: (world: World, vif: string) => Promise<void>) {
  return async ({ world }: CallContext, vif: string): Promise<undefined> => {
    const vm = text(world.db.row("VIF", vif)["VM"]);
    await world.operations.oneAtATime(vm, async () => {
      assertPossible(world, vif, operation);
      world.db.update("VIF", vif, { current_operations: { [`OpaqueRef:${randomUUID()}`]: operation } });
      try {
        await work(world, vif);
      } finally {
        world.db.update("VIF", vif, { current_operations: {} });
      }
    });
  };
}

function assertPossible(world: World, vif: string, operation: "plug" | "unplug"): void {
  const row = world.db.row("VIF", vif);
  const vm = text(row["VM"]);
  const vmRow = world.db.row("VM", vm);
  if (vmRow["is_control_domain"] === true) {
    throw new XapiFailure("OPERATION_NOT_ALLOWED", ["The control domain has no hotplug."]);
  }
  const state = text(vmRow["power_state"]);
  const attached = row["currently_attached"] === true;
  if (state === "Running" && attached && operation === "plug") throw new XapiFailure("DEVICE_ALREADY_ATTACHED", [vif]);
  if (state === "Running" && !attached && operation === "unplug") {
    throw new XapiFailure("DEVICE_ALREADY_DETACHED", [vif]);
  }
  if (state !== "Running") throw new XapiFailure("VM_BAD_POWER_STATE", [vm, "running", state.toLowerCase()]);
  if (isHvm(world, vm)) assertHotplug(world, vm);
}

function isHvm(world: World, vm: string): boolean {
  const row = world.db.row("VM", vm);
  const type = row["domain_type"] ?? "unspecified";
  return type === "hvm" || (type === "unspecified" && row["HVM_boot_policy"] !== "");
}

/** Drivers are taken to have hotplug unless they say no; without drivers there is nobody to ask. */
function assertHotplug(world: World, vm: string): void {
  const metrics = text(world.db.row("VM", vm)["guest_metrics"]);
  const guest = world.db.has("VM_guest_metrics", metrics) ? world.db.row("VM_guest_metrics", metrics) : undefined;
  const hotplug = guest?.["can_use_hotplug_vif"] ?? "unspecified";
  if (hotplug === "no") throw new XapiFailure("OPERATION_NOT_ALLOWED", ["The VM says that it has no VIF hotplug."]);
  const hasDrivers = guest?.["PV_drivers_detected"] === true;
  if (hotplug === "unspecified" && !hasDrivers) throw new XapiFailure("VM_MISSING_PV_DRIVERS", [vm]);
}

/** Keeps UUID, MAC and device; a running guest notices nothing but another wire. */
async function move({ world }: CallContext, vif: string, network: string): Promise<undefined> {
  const vm = text(world.db.row("VIF", vif)["VM"]);
  await world.operations.oneAtATime(vm, async () => {
    const row = world.db.row("VIF", vif);
    if (row["network"] === network) return;
    if (row["currently_attached"] !== true) {
      world.db.update("VIF", vif, { network });
      return;
    }
    assertCanMoveTo(world, text(world.db.row("VM", vm)["resident_on"]), network);
    requireBridge(world, network);
    const from = text(row["network"]);
    const fromBridge = text(world.db.row("network", from)["bridge"]);
    world.db.update("VIF", vif, { network });
    try {
      await world.operations.oneAtATime("ports", () =>
        world.backplane.moveVif(simVif(world, vif), fromBridge, isInternal(world, from)),
      );
    } catch (error) {
      world.db.update("VIF", vif, { network: from });
      throw error;
    }
    showGuestAddress(world, vif);
  });
}
