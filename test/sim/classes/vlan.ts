import { XapiFailure } from "../errors.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { nullRef } from "../types.ts";
import { text, texts, type World } from "../world.ts";

/** The MAC that xapi writes into the PIF of every VLAN. */
const vlanMac = "fe:ff:ff:ff:ff:ff";

/** VLANs: on one host, or on every host that has a PIF on the same network. */
export const vlanMethods: Method[] = [
  method(
    "VLAN.create",
    "tagged_PIF ref<PIF>, tag int, network ref<network>",
    "ref<VLAN>",
    ({ world }: CallContext, tagged: string, tag: number, network: string) => createVlan(world, tagged, tag, network),
    { async: true, since: "1.2" },
  ),
  method("VLAN.destroy", "self ref<VLAN>", "void", ({ world }, self: string) => destroyVlan(world, self), {
    async: true,
    since: "1.2",
  }),
  method("pool.create_VLAN_from_PIF", "pif ref<PIF>, network ref<network>, VLAN int", "set<ref<PIF>>", onAllHosts, {
    async: true,
  }),
];

function createVlan(world: World, tagged: string, tag: number, network: string): string {
  const { db } = world;
  assertPossible(world, tagged, tag, network);
  const { device, host, MTU, metrics } = db.row("PIF", tagged);
  const untagged = db.insert("PIF", {
    ...{ device: device ?? "", host: host ?? "", MTU: MTU ?? 0, metrics: metrics ?? nullRef },
    ...{ network, MAC: vlanMac, VLAN: tag, physical: false, currently_attached: true },
  });
  const vlan = db.insert("VLAN", { tagged_PIF: tagged, untagged_PIF: untagged, tag });
  db.update("PIF", untagged, { VLAN_master_of: vlan });
  return vlan;
}

function assertPossible(world: World, tagged: string, tag: number, network: string): void {
  const { db } = world;
  const pif = db.row("PIF", tagged);
  if (db.row("network", network)["managed"] === false) throw new XapiFailure("NETWORK_UNMANAGED", [network]);
  const there = db.where("PIF", "network", network).find((other) => db.row("PIF", other)["host"] === pif["host"]);
  // The documentation says that the network comes first; the code sends the host.
  if (there !== undefined) throw new XapiFailure("NETWORK_ALREADY_CONNECTED", [text(pif["host"]), there]);
  if (pif["managed"] === false) throw new XapiFailure("PIF_UNMANAGED", [tagged]);
  if (pif["bond_slave_of"] !== nullRef) throw new XapiFailure("CANNOT_ADD_VLAN_TO_BOND_SLAVE", [tagged]);
  if (Number(pif["VLAN"]) >= 0) throw new XapiFailure("PIF_IS_VLAN", [tagged]);
  if (texts(pif["tunnel_access_PIF_of"] ?? []).length > 0) throw new XapiFailure("IS_TUNNEL_ACCESS_PIF", [tagged]);
  if (tag < 0 || tag > 4094) throw new XapiFailure("VLAN_TAG_INVALID", [String(tag)]);
  const same = db.where("VLAN", "tagged_PIF", tagged).some((vlan) => db.row("VLAN", vlan)["tag"] === tag);
  if (same) throw new XapiFailure("PIF_VLAN_EXISTS", [text(pif["device"])]);
}

function destroyVlan({ db }: World, self: string): undefined {
  const untagged = text(db.row("VLAN", self)["untagged_PIF"]);
  const { host, network } = db.row("PIF", untagged);
  const used = db.where("VIF", "network", network ?? "").find((vif) => {
    const row = db.row("VIF", vif);
    return row["currently_attached"] === true && db.row("VM", text(row["VM"]))["resident_on"] === host;
  });
  if (used !== undefined) throw new XapiFailure("VIF_IN_USE", [text(network), used]);
  db.remove("VLAN", self);
  db.remove("PIF", untagged);
}

/** One VLAN a host; when one fails, those made before are taken back. */
function onAllHosts({ world }: CallContext, pif: string, network: string, tag: number): string[] {
  const { db } = world;
  const from = text(db.row("PIF", pif)["network"]);
  const made: string[] = [];
  try {
    for (const tagged of db.where("PIF", "network", from)) made.push(createVlan(world, tagged, tag, network));
  } catch (error) {
    for (const vlan of made) destroyVlan(world, vlan);
    throw error;
  }
  return made.map((vlan) => text(db.row("VLAN", vlan)["untagged_PIF"]));
}
