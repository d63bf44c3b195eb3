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
  const mine = row["currently_attached"] === true ? addressesOf(world, vif) : {};
  world.db.update("VM_guest_metrics", metrics, { networks: { ...Object.fromEntries(others), ...mine } });
}

/** Every attached interface has its link-local address; what is configured comes first. */
function addressesOf(world: World, vif: string): Record<string, string> {
  const row = world.db.row("VIF", vif);
  const device = text(row["device"]);
  const linkLocal = linkLocalOf(text(row["MAC"]));
  const ipv4 = staticIpv4(world, vif)?.address.split("/")[0];
  const configured = row["ipv6_configuration_mode"] === "Static" ? texts(row["ipv6_addresses"]) : [];
  const ipv6 = [...configured.map((address) => address.split("/")[0] ?? ""), linkLocal];
  return {
    ...(ipv4 === undefined ? {} : { [`${device}/ip`]: ipv4, [`${device}/ipv4/0`]: ipv4 }),
    ...Object.fromEntries(ipv6.map((address, at) => [`${device}/ipv6/${at}`, address])),
  };
}

/** The address that an interface gives itself: the MAC with the local bit turned and `ff:fe` in the middle (RFC 4291). */
function linkLocalOf(mac: string): string {
  const [first = 0, ...rest] = mac.split(":").map((byte) => Number.parseInt(byte, 16));
  const bytes = [first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)];
  const words = [0, 2, 4, 6].map((at) => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
  return `fe80::${words.join(":")}`;
}

/** The address that XAPI makes the guest's tools set, if one is configured and there are tools. */
export function staticIpv4(world: World, vif: string): SimIpv4 | undefined {
  const row = world.db.row("VIF", vif);
  const [address] = row["ipv4_addresses"] === undefined ? [] : texts(row["ipv4_addresses"]);
  if (row["ipv4_configuration_mode"] !== "Static" || address === undefined) return undefined;
  return { address, gateway: text(row["ipv4_gateway"]) };
}
