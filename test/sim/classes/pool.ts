import { now } from "../clock.ts";
import { XapiFailure } from "../errors.ts";
import { type CallContext, type Method, method } from "../method.ts";

/** What a pool and a host can do besides showing themselves. */
export const poolMethods: Method[] = [
  method("host.get_servertime", "host ref<host>", "datetime", () => now()),
  method("host.get_management_interface", "host ref<host>", "ref<PIF>", managementInterface, { since: "1.10" }),
  method("host.enable_ssh", "self ref<host>", "void", setSsh(true), { since: "2.21" }),
  method("host.disable_ssh", "self ref<host>", "void", setSsh(false), { since: "2.21" }),
  method("pool.enable_ssh", "self ref<pool>", "void", setSshEverywhere(true), { since: "2.21" }),
  method("pool.disable_ssh", "self ref<pool>", "void", setSshEverywhere(false), { since: "2.21" }),
];

function managementInterface({ world }: CallContext, host: string): string {
  const ref = world.db.where("PIF", "host", host).find((pif) => world.db.row("PIF", pif)["management"] === true);
  if (ref === undefined) throw new XapiFailure("INTERNAL_ERROR", ["The host has no management interface."]);
  return ref;
}

function setSsh(enabled: boolean) {
  return ({ world }: CallContext, host: string) => {
    world.db.update("host", host, { ssh_enabled: enabled });
    return undefined;
  };
}

function setSshEverywhere(enabled: boolean) {
  return (context: CallContext, _pool: string) => {
    for (const host of context.world.db.refs("host")) setSsh(enabled)(context, host);
    return undefined;
  };
}
