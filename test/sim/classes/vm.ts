import { now } from "../clock.ts";
import { XapiFailure } from "../errors.ts";
import { forgetGuest, guestHasFeature, reportGuest } from "../guest.ts";
import { patienceWith, showing } from "../in-progress.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { assertCanSee } from "../network-reach.ts";
import { masterOf } from "../pool-role.ts";
import { attach, detach, requireBridge, simGuest } from "../ports.ts";
import { nullRef } from "../types.ts";
import { text, type World } from "../world.ts";

const start = "start_paused bool, force bool";

/** Power and devices; copies are in `vm-copies.ts`. */
export const vmMethods: Method[] = [
  method("VM.start", `vm ref<VM>, ${start}`, "void", onVm("start", startVm), { async: true }),
  method("VM.start_on", `vm ref<VM>, host ref<host>, ${start}`, "void", onVm("start_on", startOn), { async: true }),
  method("VM.pause", "vm ref<VM>", "void", onVm("pause", setPaused(true)), { async: true }),
  method("VM.unpause", "vm ref<VM>", "void", onVm("unpause", setPaused(false)), { async: true }),
  method("VM.clean_shutdown", "vm ref<VM>", "void", onVm("clean_shutdown", cleanShutdown), { async: true }),
  method("VM.hard_shutdown", "vm ref<VM>", "void", onVm("hard_shutdown", hardShutdown), { async: true }),
  method("VM.shutdown", "vm ref<VM>", "void", onVm("shutdown", hardShutdown), { async: true, since: "2.0" }),
  method("VM.clean_reboot", "vm ref<VM>", "void", onVm("clean_reboot", cleanReboot), { async: true }),
  method("VM.hard_reboot", "vm ref<VM>", "void", onVm("hard_reboot", hardReboot), { async: true }),
  method("VM.get_allowed_VIF_devices", "vm ref<VM>", "set<string>", allowedVifDevices),
];

/** The operations a VM offers by its power state, as far as this server has them. */
export function vmOperations(world: World, vm: string): string[] {
  const row = world.db.row("VM", vm);
  if (row["is_control_domain"] === true || Object.keys(row["current_operations"] ?? {}).length > 0) return [];
  if (row["is_a_template"] === true) return ["clone", "snapshot", "provision", "destroy"];
  switch (row["power_state"]) {
    case "Running":
      return ["clean_shutdown", "hard_shutdown", "clean_reboot", "hard_reboot", "pause", "snapshot"];
    case "Paused":
      return ["hard_shutdown", "unpause"];
    default:
      return ["start", "start_on", "clone", "snapshot", "destroy"];
  }
}

/** Runs an operation alone on its VM and shows it in `current_operations`. */
function onVm<A extends readonly unknown[]>(
  operation: string,
  work: (world: World, vm: string, ...args: A) => Promise<void>,
) {
  return async ({ world }: CallContext, vm: string, ...args: A): Promise<undefined> => {
    const alone = async () => {
      if (world.db.row("VM", vm)["is_control_domain"] === true) {
        throw new XapiFailure("OPERATION_NOT_ALLOWED", ["The control domain cannot be started or stopped."]);
      }
      try {
        await showing(world, ["VM", vm], operation, () => work(world, vm, ...args));
      } finally {
        for (const vif of world.db.where("VIF", "VM", vm)) world.db.touch("VIF", vif);
      }
    };
    await world.operations.oneAtATime(vm, alone, patienceWith(world, ["VM", vm]));
  };
}

function assertState(world: World, vm: string, wanted: string): void {
  const state = text(world.db.row("VM", vm)["power_state"]);
  if (state !== wanted) {
    throw new XapiFailure("VM_BAD_POWER_STATE", [vm, wanted.toLowerCase(), state.toLowerCase()]);
  }
}

async function startOn(world: World, vm: string, host: string, paused: boolean): Promise<void> {
  await startAt(world, vm, host, paused);
}

/** On the host of its affinity, else on the master: a real pool looks for memory. */
async function startVm(world: World, vm: string, paused: boolean): Promise<void> {
  const affinity = text(world.db.row("VM", vm)["affinity"]);
  await startAt(world, vm, world.db.has("host", affinity) ? affinity : masterOf(world).host, paused);
}

async function startAt(world: World, vm: string, host: string, paused: boolean): Promise<void> {
  if (world.db.row("VM", vm)["is_a_template"] === true) throw new XapiFailure("VM_IS_TEMPLATE", [vm]);
  assertState(world, vm, "Halted");
  const vifs = world.db.where("VIF", "VM", vm);
  for (const vif of vifs) {
    const network = text(world.db.row("VIF", vif)["network"]);
    assertCanSee(world, vm, host, network);
    requireBridge(world, network);
  }
  forgetGuest(world, vm);
  world.lastDomid += 1;
  world.db.update("VM", vm, { domid: world.lastDomid });
  try {
    await world.backplane.startGuest(simGuest(world, vm));
  } catch (error) {
    world.db.update("VM", vm, { domid: -1 });
    throw error;
  }
  try {
    for (const vif of vifs) if (world.db.has("VIF", vif)) await attach(world, vif);
  } catch (error) {
    await stopDomain(world, vm);
    throw error;
  }
  world.db.update("VM", vm, { power_state: paused ? "Paused" : "Running", resident_on: host });
  world.db.update("VM_metrics", text(world.db.row("VM", vm)["metrics"]), { start_time: now() });
  if (!paused) reportGuest(world, vm);
}

function setPaused(paused: boolean) {
  return async (world: World, vm: string): Promise<void> => {
    assertState(world, vm, paused ? "Running" : "Paused");
    world.db.update("VM", vm, { power_state: paused ? "Paused" : "Running" });
    if (!paused && world.db.row("VM", vm)["guest_metrics"] === nullRef) reportGuest(world, vm);
  };
}

async function cleanShutdown(world: World, vm: string): Promise<void> {
  assertState(world, vm, "Running");
  if (!guestHasFeature(world, vm, "feature-shutdown")) throw new XapiFailure("VM_LACKS_FEATURE", [vm]);
  await stopDomain(world, vm);
}

async function hardShutdown(world: World, vm: string): Promise<void> {
  const state = text(world.db.row("VM", vm)["power_state"]);
  if (state === "Halted") throw new XapiFailure("VM_BAD_POWER_STATE", [vm, "running", "halted"]);
  await stopDomain(world, vm);
}

async function cleanReboot(world: World, vm: string): Promise<void> {
  await cleanShutdown(world, vm);
  await startVm(world, vm, false);
}

async function hardReboot(world: World, vm: string): Promise<void> {
  await hardShutdown(world, vm);
  await startVm(world, vm, false);
}

/** The guest's report stays until the next start, as on a real pool. */
async function stopDomain(world: World, vm: string): Promise<void> {
  for (const vif of world.db.where("VIF", "VM", vm)) {
    // Another client may have destroyed it while the one before it was detached.
    if (world.db.has("VIF", vif) && world.db.row("VIF", vif)["currently_attached"] === true) await detach(world, vif);
  }
  await world.backplane.stopGuest(simGuest(world, vm));
  world.db.update("VM", vm, { power_state: "Halted", domid: -1, resident_on: nullRef });
}

function allowedVifDevices({ world }: CallContext, vm: string): string[] {
  const used = world.db.where("VIF", "VM", vm).map((vif) => Number(world.db.row("VIF", vif)["device"]));
  const all = Array.from({ length: world.profile.vifDevices }, (_, device) => device);
  return all.filter((device) => !used.includes(device)).map(String);
}
