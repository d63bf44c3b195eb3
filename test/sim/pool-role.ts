import { XapiFailure } from "./errors.ts";
import { text, type World } from "./world.ts";

/** One host's XAPI: which host it is, where its clients find it, and what they see there. */
export interface Endpoint {
  /** The reference of its host. */
  readonly host: string;
  readonly address: string;
  readonly fingerprint: string;
  /** Set by a fault: somebody outside of this pool is the master. */
  redirect: MasterAddress | undefined;
}

/** Where HOST_IS_SLAVE leads. */
export interface MasterAddress {
  readonly address: string;
  readonly fingerprint: string | undefined;
}

/** The master that a member sends its clients to; `undefined` for the master itself. */
export function masterFor(world: World, endpoint: Endpoint): MasterAddress | undefined {
  if (endpoint.redirect !== undefined) return endpoint.redirect;
  const master = masterOf(world);
  return endpoint === master ? undefined : master;
}

/** A member serves nothing that needs a session, and gives out none. */
export function assertMaster(world: World, endpoint: Endpoint): void {
  const master = masterFor(world, endpoint);
  if (master !== undefined) throw new XapiFailure("HOST_IS_SLAVE", [master.address]);
}

/** The endpoint of the host that `pool.master` names. */
export function masterOf(world: World): Endpoint {
  const { db, endpoints } = world;
  const [pool = ""] = db.refs("pool");
  const master = text(db.row("pool", pool)["master"]);
  const found = endpoints.find(({ host }) => host === master);
  if (found === undefined) throw new Error("The simulated pool has no master.");
  return found;
}

/** Forgets every session, as a toolstack restart on the master does. */
export function endSessions(world: World): void {
  for (const session of world.db.refs("session")) world.db.remove("session", session);
}
