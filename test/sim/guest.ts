import type { SimIpv4 } from "./backplane.ts";
import { now } from "./clock.ts";
import { stringMap, text, texts, usualGuestTools, type World } from "./world.ts";

/** Puts down what the guest's agent reports once it runs; a guest without drivers reports nothing. */
export function reportGuest(world: World, vm: string): void {
  const tools = world.guestTools.get(vm) ?? usualGuestTools;
  if (!tools.pvDrivers) return;
  const metrics = world.db.insert("VM_guest_metrics", {
    PV_drivers_version: { major: "7", minor: "33", micro: "0", build: "1" },
    PV_drivers_up_to_date: true,
    PV_drivers_detected: true,
    can_use_hotplug_vbd: tools.hotplugVif,
    can_use_hotplug_vif: tools.hotplugVif,
    os_version: { name: "Fedora", distro: "fedora", major: "40", minor: "0" },
    other: { "feature-shutdown": "1", ...(tools.staticIp ? { "feature-static-ip-setting": "1" } : {}) },
    last_updated: now(),
    live: true,
  });
  world.db.update("VM", vm, { guest_metrics: metrics });
  for (const vif of world.db.where("VIF", "VM", vm)) showGuestAddress(world, vif);
}

/** Forgets the last run's report: XAPI does so at each start, because the addresses in it may be wrong. */
export function forgetGuest(world: World, vm: string): void {
  const metrics = text(world.db.row("VM", vm)["guest_metrics"]);
  if (!world.db.has("VM_guest_metrics", metrics)) return;
  world.db.update("VM", vm, { guest_metrics: "OpaqueRef:NULL" });
  world.db.remove("VM_guest_metrics", metrics);
}

/** What a feature flag of the guest's agent says, e.g. `feature-shutdown`. */
export function guestHasFeature(world: World, vm: string, feature: string): boolean {
  const metrics = text(world.db.row("VM", vm)["guest_metrics"]);
  if (!world.db.has("VM_guest_metrics", metrics)) return false;
  return stringMap(world.db.row("VM_guest_metrics", metrics)["other"])[feature] === "1";
}

/** Keeps the agent's `networks` map, keyed by device, in step with a VIF's static address. */
export function showGuestAddress(world: World, vif: string): void {
  const row = world.db.row("VIF", vif);
  const metrics = text(world.db.row("VM", text(row["VM"]))["guest_metrics"]);
  if (!world.db.has("VM_guest_metrics", metrics)) return;
  const device = text(row["device"]);
  const shown = Object.entries(stringMap(world.db.row("VM_guest_metrics", metrics)["networks"]));
  const others = shown.filter(([key]) => !key.startsWith(`${device}/`));
  const address = row["currently_attached"] === true ? staticIpv4(world, vif)?.address.split("/")[0] : undefined;
  const mine = address === undefined ? {} : { [`${device}/ip`]: address, [`${device}/ipv4/0`]: address };
  world.db.update("VM_guest_metrics", metrics, { networks: { ...Object.fromEntries(others), ...mine } });
}

/** The address that XAPI makes the guest's tools set, if one is configured and there are tools. */
export function staticIpv4(world: World, vif: string): SimIpv4 | undefined {
  const row = world.db.row("VIF", vif);
  const [address] = row["ipv4_addresses"] === undefined ? [] : texts(row["ipv4_addresses"]);
  if (row["ipv4_configuration_mode"] !== "Static" || address === undefined) return undefined;
  return { address, gateway: text(row["ipv4_gateway"]) };
}
