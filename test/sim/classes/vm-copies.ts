import { randomUUID } from "node:crypto";
import type { Row } from "../database.ts";
import { XapiFailure } from "../errors.ts";
import { macFromSeed } from "../mac.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { nullRef } from "../types.ts";
import { stringMap, text, type World } from "../world.ts";

/** Clones, snapshots and what they do to VIFs: each copy has other_config, marks included, of its original. */
export const vmCopyMethods: Method[] = [
  method("VM.clone", "vm ref<VM>, new_name string", "ref<VM>", clone, { async: true }),
  method("VM.provision", "vm ref<VM>", "void", provision, { async: true }),
  method("VM.snapshot", "vm ref<VM>, new_name string, ignore_vdis set<ref<VDI>>=", "ref<VM>", snapshot, {
    async: true,
  }),
  method("VM.revert", "snapshot ref<VM>", "void", revert, { async: true, since: "1.7" }),
  method("VM.destroy", "self ref<VM>", "void", destroy, { async: true }),
];

async function clone({ world }: CallContext, vm: string, name: string): Promise<string> {
  return world.operations.oneAtATime(vm, async () => {
    const state = text(world.db.row("VM", vm)["power_state"]);
    if (state !== "Halted") throw new XapiFailure("VM_BAD_POWER_STATE", [vm, "halted", state.toLowerCase()]);
    const otherConfig = { ...stringMap(world.db.row("VM", vm)["other_config"]), mac_seed: randomUUID() };
    const copy = copyVm(world, vm, { name_label: name, is_default_template: false, other_config: otherConfig });
    copyVifs(world, vm, copy, (vif) => newMac(vif, otherConfig.mac_seed));
    return copy;
  });
}

function provision({ world }: CallContext, vm: string): undefined {
  world.db.update("VM", vm, { is_a_template: false });
}

async function snapshot({ world }: CallContext, vm: string, name: string): Promise<string> {
  return world.operations.oneAtATime(vm, async () => {
    const marks = { is_a_snapshot: true, is_a_template: true, snapshot_of: vm, power_state: "Halted", domid: -1 };
    const copy = copyVm(world, vm, { ...marks, name_label: name, resident_on: nullRef, guest_metrics: nullRef });
    copyVifs(world, vm, copy, sameMac);
    return copy;
  });
}

/** Makes the VIFs of a VM anew, as they were: same device, MAC and other_config, new UUIDs. */
async function revert({ world }: CallContext, from: string): Promise<undefined> {
  const row = world.db.row("VM", from);
  const vm = text(row["snapshot_of"]);
  if (row["is_a_snapshot"] !== true || !world.db.has("VM", vm)) {
    throw new XapiFailure("OPERATION_NOT_ALLOWED", ["Only a snapshot whose VM is there can be reverted to."]);
  }
  await world.operations.oneAtATime(vm, async () => {
    const state = text(world.db.row("VM", vm)["power_state"]);
    if (state !== "Halted") throw new XapiFailure("VM_BAD_POWER_STATE", [vm, "halted", state.toLowerCase()]);
    for (const vif of world.db.where("VIF", "VM", vm)) world.db.remove("VIF", vif);
    world.db.update("VM", vm, { other_config: row["other_config"] ?? {} });
    copyVifs(world, from, vm, sameMac);
  });
}

async function destroy({ world }: CallContext, self: string): Promise<undefined> {
  await world.operations.oneAtATime(self, async () => {
    const row = world.db.row("VM", self);
    const state = text(row["power_state"]);
    if (row["is_control_domain"] === true) {
      throw new XapiFailure("OPERATION_NOT_ALLOWED", ["The control domain cannot be destroyed."]);
    }
    if (state !== "Halted") throw new XapiFailure("VM_BAD_POWER_STATE", [self, "halted", state.toLowerCase()]);
    for (const vif of world.db.where("VIF", "VM", self)) world.db.remove("VIF", vif);
    world.db.remove("VM", self);
  });
}

function copyVm(world: World, vm: string, changes: Row): string {
  const { uuid: _, ...row } = world.db.row("VM", vm);
  const metrics = world.db.insert("VM_metrics", {});
  return world.db.insert("VM", { ...row, metrics, guest_metrics: nullRef, current_operations: {}, ...changes });
}

function copyVifs(world: World, from: string, to: string, mac: (vif: Row) => string): void {
  for (const vif of world.db.where("VIF", "VM", from)) {
    const { uuid: _, ...row } = world.db.row("VIF", vif);
    world.db.insert("VIF", { ...row, VM: to, MAC: mac(row), currently_attached: false, current_operations: {} });
  }
}

const sameMac = (vif: Row): string => text(vif["MAC"]);

const newMac = (vif: Row, seed: string): string => macFromSeed(seed, Number(vif["device"]));
