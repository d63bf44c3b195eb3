import { XapiFailure } from "../errors.ts";
import { showGuestAddress } from "../guest.ts";
import { patienceWith, showing } from "../in-progress.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { assertCanMoveTo, assertNoSlave } from "../network-reach.ts";
import { attach, detach, isInternal, requireBridge, simVif } from "../ports.ts";
import { stringMap, text, texts, type World } from "../world.ts";

const signature = "self ref<VIF>";

/** What moves ports of running guests. */
export const vifPlugMethods: Method[] = [
  method("VIF.plug", signature, "void", onVif("plug", plug), { async: true }),
  method("VIF.unplug", signature, "void", onVif("unplug", unplug), { async: true }),
  method("VIF.unplug_force", signature, "void", onVif("unplug_force", detach), { async: true, since: "1.9" }),
  method("VIF.move", "self ref<VIF>, network ref<network>", "void", move, { async: true, since: "2.6" }),
];

type Operation = "plug" | "unplug" | "unplug_force";

/** Waits until nothing else runs on the VM, looks whether the operation is possible, and shows it while it runs. */
function onVif(operation: Operation, work: (world: World, vif: string) => Promise<void>) {
  return async ({ world }: CallContext, vif: string): Promise<undefined> => {
    const vm = text(world.db.row("VIF", vif)["VM"]);
    // Not worth waiting for: afterwards there is no guest to plug anything into.
    if (isStopping(world, vm)) assertPossible(world, vif, operation);
    const alone = async () => {
      assertPossible(world, vif, operation);
      const shown = operation === "plug" ? "plug" : "unplug";
      await showing(world, ["VIF", vif], shown, () => work(world, vif));
    };
    await world.operations.oneAtATime(vm, alone, patienceWith(world, ["VIF", vif], ["VM", vm]));
  };
}

function isStopping(world: World, vm: string): boolean {
  const current = Object.values(stringMap(world.db.row("VM", vm)["current_operations"]));
  return current.some((operation) => ["clean_shutdown", "hard_shutdown", "suspend", "pause"].includes(operation));
}

/** The first complaint that fits, in xapi's order. */
function assertPossible(world: World, vif: string, operation: Operation): void {
  const row = world.db.row("VIF", vif);
  const vm = text(row["VM"]);
  const vmRow = world.db.row("VM", vm);
  if (vmRow["is_control_domain"] === true) {
    throw new XapiFailure("OPERATION_NOT_ALLOWED", ["The control domain has no hotplug."]);
  }
  if (isSriov(world, text(row["network"]))) {
    throw new XapiFailure("OPERATION_NOT_ALLOWED", ["A VIF on an SR-IOV network has no hotplug."]);
  }
  const state = text(vmRow["power_state"]);
  const attached = row["currently_attached"] === true;
  if (state === "Running" && attached && operation === "plug") throw new XapiFailure("DEVICE_ALREADY_ATTACHED", [vif]);
  if (state === "Running" && !attached && operation !== "plug") {
    throw new XapiFailure("DEVICE_ALREADY_DETACHED", [vif]);
  }
  if (state !== "Running") throw new XapiFailure("VM_BAD_POWER_STATE", [vm, "running", state.toLowerCase()]);
  if (isStopping(world, vm)) throw new XapiFailure("OPERATION_NOT_ALLOWED", ["The VM is being stopped."]);
  if (isHvm(world, vm)) assertHotplug(world, vm);
}

function isSriov(world: World, network: string): boolean {
  const pifs = world.db.where("PIF", "network", network).map((pif) => world.db.row("PIF", pif));
  return pifs.some((pif) => texts(pif["sriov_logical_PIF_of"] ?? []).length > 0);
}

async function plug(world: World, vif: string): Promise<void> {
  const { VM, network } = world.db.row("VIF", vif);
  assertNoSlave(world, text(world.db.row("VM", text(VM))["resident_on"]), text(network));
  await attach(world, vif);
}

async function unplug(world: World, vif: string): Promise<void> {
  if (world.guestTools.get(text(world.db.row("VIF", vif)["VM"]))?.refusesUnplug === true) {
    throw new XapiFailure("DEVICE_DETACH_REJECTED", ["VIF", vif, "The guest does not let go of the device."]);
  }
  await detach(world, vif);
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
  // Before 7.0 there is nothing but the version that the drivers report.
  const hasDrivers = guest?.["PV_drivers_detected"] ?? Object.keys(guest?.["PV_drivers_version"] ?? {}).length > 0;
  if (hotplug === "unspecified" && hasDrivers === false) throw new XapiFailure("VM_MISSING_PV_DRIVERS", [vm]);
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
