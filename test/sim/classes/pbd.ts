import type { Value } from "../contract.ts";
import { XapiFailure } from "../errors.ts";
import { acceptRecord } from "../generic.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { text, type World } from "../world.ts";

/** How hosts reach storage. The repositories themselves are not served. */
export const pbdMethods: Method[] = [
  method("PBD.create", "record record<PBD>", "ref<PBD>", create, { async: true }),
  method("PBD.destroy", "self ref<PBD>", "void", destroy, { async: true }),
  method("PBD.set_device_config", "self ref<PBD>, value map<string,string>", "void", setDeviceConfig, {
    async: true,
    since: "1.2",
  }),
];

/** A host reaches a repository in one way only; asked for the same one again, XAPI answers the one it has. */
function create({ world }: CallContext, sent: Value): string {
  const { db } = world;
  const record = acceptRecord(db, "PBD", sent, ["host", "SR", "device_config"], ["other_config"]);
  const host = text(record["host"]);
  if (!db.has("host", host)) throw new XapiFailure("HANDLE_INVALID", ["host", host]);
  const there = db.where("PBD", "host", host).find((pbd) => db.row("PBD", pbd)["SR"] === record["SR"]);
  if (there === undefined) return db.insert("PBD", record);
  if (configOf(world, there) === JSON.stringify(record["device_config"])) return there;
  throw new XapiFailure("PBD_EXISTS", [text(record["SR"]), host, there]);
}

function configOf(world: World, pbd: string): string {
  return JSON.stringify(world.db.row("PBD", pbd)["device_config"]);
}

function destroy({ world }: CallContext, self: string): undefined {
  if (world.db.row("PBD", self)["currently_attached"] === true) {
    throw new XapiFailure("OPERATION_NOT_ALLOWED", ["The storage is attached by this PBD."]);
  }
  world.db.remove("PBD", self);
}

function setDeviceConfig({ world }: CallContext, self: string, value: Value): undefined {
  world.db.update("PBD", self, { device_config: value });
}
