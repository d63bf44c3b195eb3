import { eventMethods } from "./classes/event.ts";
import { networkMethods } from "./classes/network.ts";
import { pbdMethods } from "./classes/pbd.ts";
import { poolMethods } from "./classes/pool.ts";
import { sessionMethods } from "./classes/session.ts";
import { taskMethods } from "./classes/task.ts";
import { vifMethods } from "./classes/vif.ts";
import { vifAddressMethods } from "./classes/vif-addresses.ts";
import { vifPlugMethods } from "./classes/vif-plug.ts";
import { vlanMethods } from "./classes/vlan.ts";
import { vmMethods } from "./classes/vm.ts";
import { vmCopyMethods } from "./classes/vm-copies.ts";
import type { Database } from "./database.ts";
import type { MethodTable } from "./dispatch.ts";
import { isAtLeast } from "./fields.ts";
import { genericMethods } from "./generic.ts";
import { type Method, method } from "./method.ts";
import type { Profile } from "./profiles.ts";

/** The calls of a profile. Those written by hand win over those that follow from the fields. */
export function methodTable(db: Database, profile: Profile): MethodTable {
  const byHand = [
    ...sessionMethods,
    ...poolMethods,
    ...networkMethods,
    ...vifMethods,
    ...vifPlugMethods,
    ...vifAddressMethods,
    ...pbdMethods,
    ...vlanMethods,
    ...vmMethods,
    ...vmCopyMethods,
    ...taskMethods,
    ...eventMethods,
  ].filter((one) => isAtLeast(profile.api, one.since));
  const table = new Map<string, Method>();
  for (const one of [...genericMethods(db), ...byHand]) table.set(one.name, one);
  const listMethods = method("system.listMethods", "", "set<string>", () => [...table.keys()], { needsSession: false });
  return table.set(listMethods.name, listMethods);
}
