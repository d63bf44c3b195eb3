import type { Value } from "../contract.ts";
import { invalidValue, XapiFailure } from "../errors.ts";
import { isAtLeast } from "../fields.ts";
import { acceptRecord } from "../generic.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { stringMap, text, texts, type World } from "../world.ts";

/** Networks: the bridge of an internal one is made with its first port, not here. */
export const networkMethods: Method[] = [
  method("network.create", "record record<network>", "ref<network>", create, { async: true }),
  method("network.destroy", "self ref<network>", "void", destroy, { async: true }),
  method(
    "network.set_default_locking_mode",
    "network ref<network>, value unlocked|disabled",
    "void",
    setDefaultLockingMode,
    { async: true, since: "1.10" },
  ),
  method("network.add_purpose", "self ref<network>, value nbd|insecure_nbd", "void", addPurpose, {
    async: true,
    since: "2.8",
  }),
  method("network.remove_purpose", "self ref<network>, value nbd|insecure_nbd", "void", removePurpose, {
    async: true,
    since: "2.8",
  }),
];

/** Tells the backplane which bridge belongs to which network. */
export async function announceNetworks(world: World): Promise<void> {
  const networks = world.db.refs("network").map((ref) => world.db.row("network", ref));
  await world.backplane.networksChanged(
    networks.map((row) => ({ uuid: text(row["uuid"]), bridge: text(row["bridge"]) })),
  );
}

async function create({ world }: CallContext, sent: Value): Promise<string> {
  const { wantsNetworkNames, api } = world.profile;
  const names = ["name_label", "name_description"];
  const required = ["other_config", ...(wantsNetworkNames ? names : [])];
  // Before 7.2 XAPI passed over a bridge that came with the record, as it does with any key that is no field.
  const bridged = isAtLeast(api, [2, 7]) ? ["bridge", "managed"] : [];
  const record = acceptRecord(world.db, "network", sent, required, [...names, "MTU", ...bridged, "tags"]);
  const mtu = Number(record["MTU"] ?? 1500);
  const bridge = chooseBridge(world, text(record["bridge"] ?? ""));
  const ref = world.db.insert("network", { ...record, MTU: mtu <= 0 ? 1500 : mtu, bridge });
  await announceNetworks(world);
  return ref;
}

function chooseBridge(world: World, wanted: string): string {
  const used = new Set(world.db.refs("network").map((ref) => world.db.row("network", ref)["bridge"]));
  if (wanted !== "") {
    if (wanted.length > 15 || /^(xen|xapi|vif|tap|eth)/.test(wanted)) throw invalidValue("bridge", wanted);
    if (used.has(wanted)) throw new XapiFailure("BRIDGE_NAME_EXISTS", [wanted]);
    return wanted;
  }
  while (used.has(`xapi${world.nextBridge}`)) world.nextBridge += 1;
  const bridge = `xapi${world.nextBridge}`;
  world.nextBridge += 1;
  return bridge;
}

/** Takes every VIF that is not attached along, anybody's: so does XAPI. */
async function destroy({ world }: CallContext, self: string): Promise<undefined> {
  const vifs = world.db.where("VIF", "network", self);
  const attached = vifs.filter((vif) => world.db.row("VIF", vif)["currently_attached"] === true);
  if (attached.length > 0) throw new XapiFailure("NETWORK_CONTAINS_VIF", attached);
  const pifs = world.db.where("PIF", "network", self);
  if (pifs.length > 0) throw new XapiFailure("NETWORK_CONTAINS_PIF", pifs);
  const { other_config, bridge } = world.db.row("network", self);
  const otherConfig = stringMap(other_config);
  if (otherConfig["is_host_internal_management_network"] === "true") {
    throw new XapiFailure("CANNOT_DESTROY_SYSTEM_NETWORK", [self]);
  }
  for (const vif of vifs) world.db.remove("VIF", vif);
  world.db.remove("network", self);
  if (world.profile.bridgesStay) await world.backplane.removeBridge(text(bridge));
  await announceNetworks(world);
}

function setDefaultLockingMode({ world }: CallContext, network: string, value: string): undefined {
  const attached = world.db
    .where("VIF", "network", network)
    .find((vif) => world.db.row("VIF", vif)["currently_attached"] === true);
  if (attached !== undefined) throw new XapiFailure("VIF_IN_USE", [network, attached]);
  world.db.update("network", network, { default_locking_mode: value });
}

function addPurpose({ world }: CallContext, self: string, value: string): undefined {
  const row = world.db.row("network", self);
  if (row["managed"] !== true) throw new XapiFailure("NETWORK_UNMANAGED", [self]);
  const others = texts(row["purpose"]).filter((purpose) => purpose !== value);
  world.db.update("network", self, { purpose: [...others, value] });
}

function removePurpose({ world }: CallContext, self: string, value: string): undefined {
  const left = texts(world.db.row("network", self)["purpose"]).filter((purpose) => purpose !== value);
  world.db.update("network", self, { purpose: left });
}
