import type { Server } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { nullBackplane } from "./backplane.ts";
import { announceNetworks } from "./classes/network.ts";
import type { Admin, RecordedCall, Simulator, SimulatorOptions, Value } from "./contract.ts";
import { Database } from "./database.ts";
import { deriveFields } from "./derived.ts";
import { type MethodTable, runDirectly } from "./dispatch.ts";
import { endSessions, FaultPlan } from "./faults.ts";
import { classTables } from "./fields.ts";
import { requestListener } from "./http.ts";
import { methodTable } from "./methods.ts";
import { profiles } from "./profiles.ts";
import { seedHost, seedRecipeGuests } from "./seed.ts";
import { fingerprintOf, makeTlsIdentity } from "./tls.ts";
import { nullRef } from "./types.ts";
import { Operations, text, usualGuestTools, type World } from "./world.ts";

export type * from "./contract.ts";

/** Starts a XAPI server with a pool of one host behind it. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const tls = options.tls ?? (await makeTlsIdentity("xenserver-lab"));
  const world = makeWorld(options);
  deriveFields(world);
  seedHost(world, options.uuids ?? {});
  if (options.seed !== "empty") seedRecipeGuests(world);
  await announceNetworks(world);

  const methods = methodTable(world.db, world.profile);
  const faults = new FaultPlan(world);
  const calls: RecordedCall[] = [];
  const httpHandler = requestListener({ world, methods, faults, calls });
  const server = createServer({ ...tls, ...world.profile.tls, ecdhCurve: "secp384r1" }, httpHandler);
  await listen(server, options);
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: port === undefined ? "" : `https://${(address as AddressInfo).address}:${port}`,
    port,
    fingerprint: fingerprintOf(tls.cert),
    certificatePem: tls.cert,
    poolUuid: uuidOf(world, "pool"),
    hostUuid: uuidOf(world, "host"),
    calls,
    countCalls: (which) => calls.filter((call) => matches(call, which)).length,
    openSessions: () => world.db.refs("session").length,
    faults,
    admin: makeAdmin(world, methods),
    httpHandler,
    restart: async () => restart(world, server),
    hostRebooted: async () => {
      forgetDomains(world);
      restart(world, server);
    },
    close: () => close(world, server),
  };
}

function makeWorld(options: SimulatorOptions): World {
  const profile = profiles[options.profile ?? "xcp-ng-8.3"];
  return {
    db: new Database(classTables(profile.api)),
    profile,
    backplane: options.backplane ?? nullBackplane,
    username: options.username ?? "root",
    password: options.password,
    authDelayMs: options.authDelayMs ?? 0,
    guestTools: new Map(),
    operations: new Operations(),
    slave: { master: undefined, masterFingerprint: undefined },
    nextBridge: 0,
    lastDomid: 0,
  };
}

function makeAdmin(world: World, methods: MethodTable): Admin {
  return {
    async call<T>(name: string, ...args: Value[]): Promise<T> {
      const method = methods.get(name);
      if (method === undefined) throw new Error(`The simulator has no call ${name}.`);
      return (await runDirectly(world, method, args)) as T;
    },
    modify: (className, ref, fields) => {
      world.db.update(className, ref, fields);
    },
    setGuestTools: (vm, tools) => {
      world.db.row("VM", vm);
      world.guestTools.set(vm, { ...usualGuestTools, ...world.guestTools.get(vm), ...tools });
    },
  };
}

function listen(server: Server, options: SimulatorOptions): Promise<void> {
  const wanted = options.listen ?? {};
  const where = "path" in wanted ? wanted : { host: wanted.host ?? "127.0.0.1", port: wanted.port ?? 0 };
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function matches(call: RecordedCall, which: Parameters<Simulator["countCalls"]>[0]): boolean {
  if (which === undefined) return true;
  return typeof which === "string" ? call.method === which : which(call);
}

function uuidOf(world: World, className: "pool" | "host"): string {
  const [ref = ""] = world.db.refs(className);
  return text(world.db.row(className, ref)["uuid"]);
}

function restart(world: World, server: Server): void {
  endSessions(world);
  world.nextBridge = 0;
  server.closeAllConnections();
}

/** Nothing runs after a reboot but dom0. */
function forgetDomains(world: World): void {
  for (const vm of world.db.refs("VM")) {
    if (world.db.row("VM", vm)["is_control_domain"] === true) continue;
    world.db.update("VM", vm, { power_state: "Halted", domid: -1, resident_on: nullRef, current_operations: {} });
  }
  for (const vif of world.db.refs("VIF")) {
    world.db.update("VIF", vif, { currently_attached: false, current_operations: {} });
  }
  world.lastDomid = 0;
}

/** Lets operations that have begun come to their end, so that nothing moves in a lab that is taken down next. */
async function close(world: World, server: Server): Promise<void> {
  endSessions(world);
  const closed = new Promise<void>((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
  });
  server.closeAllConnections();
  await closed;
  await world.operations.idle();
}
