import type { EventAction, XeDeed } from "../actions.ts";
import { keysOf, type Look, look, text, type XapiRecord } from "../looks/look.ts";
import type { Machine } from "../machine.ts";
import type { Model } from "../model.ts";

type XeEvent = Extract<EventAction, { do: "xe" }>;

/** Somebody types `xe` at a network or VIF of a stack. */
export async function xeEvent({ what, stack, pick }: XeEvent, model: Model, machine: Machine): Promise<void> {
  const now = await look(machine.host);
  const isOurs = (record: XapiRecord) => keysOf(record)["xennet:owner"]?.startsWith(`urn:pulumi:${stack}::`) === true;
  const vms = new Set(now.vms.filter((vm) => /^Fedora server \d$/.test(text(vm, "name_label"))).map(({ ref }) => ref));
  const vifs = now.vifs.filter((vif) => isOurs(vif) && vms.has(text(vif, "VM")));
  const networks = now.networks.filter(isOurs);
  const isNetworkDeed = what.endsWith("network") || (what === "marks removed" && pick % 2 === 0);
  const target = isNetworkDeed ? networks[pick % networks.length] : vifs[pick % vifs.length];
  if (target === undefined) return;
  model.settled[stack] = false;
  if (what === "marks removed") {
    await machine.xe(`${isNetworkDeed ? "network" : "VIF"}.remove_from_other_config`, target.ref, "xennet:owner");
  } else if (isNetworkDeed) await networkDeed(what, target, now, machine);
  else await vifDeed(what, target, pick, now, machine);
}

/** What was there before us: nobody could give it back. */
const isFormer = (record: XapiRecord): boolean => keysOf(record)["xennet:former"] !== undefined;

async function networkDeed(what: XeDeed, { ref, ...record }: XapiRecord, now: Look, machine: Machine): Promise<void> {
  if (what === "rename network") return machine.xe("network.set_name_label", ref, "renamed by hand");
  if (what === "change network") return machine.xe("network.set_name_description", ref, "changed by hand");
  const isUsed = now.vifs.some((vif) => text(vif, "network") === ref);
  if (!isUsed && !isFormer(record as XapiRecord)) await machine.xe("network.destroy", ref);
}

async function vifDeed(what: XeDeed, vif: XapiRecord, pick: number, now: Look, machine: Machine): Promise<void> {
  const isAttached = vif["currently_attached"] === true;
  if (what === "plug") return isAttached ? machine.xe("VIF.unplug", vif.ref) : undefined;
  if (what === "change vif") {
    // Nobody gives back what nobody declares.
    if (isFormer(vif)) return;
    await machine.xe("VIF.set_qos_algorithm_type", vif.ref, "ratelimit");
    return machine.xe("VIF.set_qos_algorithm_params", vif.ref, { kbps: String(10 + pick) });
  }
  if (what === "move vif") {
    const network = now.networks.find((one) => text(one, "bridge") === "xenbr0");
    return machine.canMoveVifs && network ? machine.xe("VIF.move", vif.ref, network.ref) : undefined;
  }
  if (isFormer(vif)) return;
  if (isAttached) await machine.xe("VIF.unplug", vif.ref);
  await machine.xe("VIF.destroy", vif.ref);
}
