import { nullBackplane } from "./backplane.ts";
import { announceNetworks } from "./classes/network.ts";
import type { Admin, RecordedCall, Simulator, SimulatorOptions, TlsIdentity, TlsKind, Value } from "./contract.ts";
import { Database } from "./database.ts";
import { deriveFields } from "./derived.ts";
import { type MethodTable, runDirectly } from "./dispatch.ts";
import { addressOf, type Listening, listenAll, listenAs } from "./endpoint.ts";
import { FaultPlan } from "./faults.ts";
import { classTables } from "./fields.ts";
import { requestListener } from "./http.ts";
import { methodTable } from "./methods.ts";
import { type Endpoint, endSessions } from "./pool-role.ts";
import { rebootHost, restartToolstack } from "./power.ts";
import { profiles } from "./profiles.ts";
import { seedMember, seedPool, seedRecipeGuests } from "./seed.ts";
import { fingerprintOf, makeTlsIdentity } from "./tls.ts";
import { Operations, saveWorld, text, usualGuestTools, usualPatienceMs, type World } from "./world.ts";

export type * from "./contract.ts";

/** Starts a XAPI server with a pool behind it, of one host or two. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const identities = await tlsIdentities(options);
  const world = makeWorld(options);
  deriveFields(world);
  seedHosts(world, options, identities);
  if (options.seed !== "empty") seedRecipeGuests(world);
  await announceNetworks(world);

  let servers: Listening[] = [];
  const cutConnections = (host?: number) => {
    for (const [at, server] of servers.entries()) if (host === undefined || host === at) server.cutConnections();
  };
  const methods = methodTable(world.db, world.profile);
  const faults = new FaultPlan(world, cutConnections);
  const calls: RecordedCall[] = [];
  const listeners = world.endpoints.map((endpoint) => requestListener({ world, endpoint, methods, faults, calls }));
  servers = await listenAll(
    listeners.map((listener, at) => (first?: Listening) => {
      const tls = identities[at] as TlsIdentity;
      return listenAs(tlsKind(options), tls, whereToListen(options, at, first), listener);
    }),
  );
  const hosts = world.endpoints.map(({ host, address }, at) => ({
    ...(servers[at] as Listening).shown,
    hostUuid: text(world.db.row("host", host)["uuid"]),
    address,
    httpHandler: listeners[at] as (typeof listeners)[number],
  }));
  const [pool = ""] = world.db.refs("pool");
  return {
    ...(hosts[0] as (typeof hosts)[number]),
    poolUuid: text(world.db.row("pool", pool)["uuid"]),
    hosts,
    calls,
    countCalls: (which) => calls.filter((call) => matches(call, which)).length,
    openSessions: () => world.db.refs("session").length,
    faults,
    admin: makeAdmin(world, methods),
    restart: async (host = 0) => {
      restartToolstack(world, host);
      cutConnections(host);
    },
    hostRebooted: async (host = 0) => {
      rebootHost(world, host);
      cutConnections(host);
    },
    save: () => saveWorld(world),
    close: () => {
      faults.clear();
      return close(world, servers);
    },
  };
}

function tlsIdentities(options: SimulatorOptions): Promise<TlsIdentity[]> {
  const kind = tlsKind(options);
  const first = typeof options.tls === "object" ? options.tls : makeTlsIdentity(hostName(0), kind);
  const second = options.hosts === 2 ? [options.member?.tls ?? makeTlsIdentity(hostName(1), kind)] : [];
  return Promise.all([first, ...second]);
}

function tlsKind({ tls, profile }: SimulatorOptions): TlsKind {
  return typeof tls === "string" ? tls : profileOf(profile).tls;
}

const profileOf = (name: SimulatorOptions["profile"]) => profiles[name ?? "xcp-ng-8.3"];

const hostName = (at: number): string => (at === 0 ? "xenserver-lab" : `xenserver-lab-${at + 1}`);

function makeWorld(options: SimulatorOptions): World {
  const profile = profileOf(options.profile);
  return {
    db: new Database(classTables(profile.api)),
    profile,
    backplane: options.backplane ?? nullBackplane,
    username: options.username ?? "root",
    password: options.password,
    authDelayMs: options.authDelayMs ?? 0,
    guestTools: new Map(),
    operations: new Operations(),
    pretended: new Map(),
    role: "pool-admin",
    patienceMs: usualPatienceMs,
    endpoints: [],
    nextBridge: 0,
    lastDomid: 0,
  };
}

function seedHosts(world: World, options: SimulatorOptions, identities: readonly TlsIdentity[]): void {
  for (const [at, { cert }] of identities.entries()) {
    // The hosts of a pool name each other to clients, so these must be addresses that a client reaches.
    const address = (options.hosts === 2 && addressOf(whereToListen(options, at))) || `192.168.1.${10 + at}`;
    const uuids = (at === 0 ? options.uuids : options.member?.uuids) ?? {};
    const identity = { name: hostName(at), address, uuids };
    const host = at === 0 ? seedPool(world, identity, options.uuids?.pool) : seedMember(world, identity);
    const endpoint: Endpoint = { host, address, fingerprint: fingerprintOf(cert), redirect: undefined };
    world.endpoints.push(endpoint);
  }
}

/** HOST_IS_SLAVE names no port: the member listens on the one that the first host got. */
function whereToListen(options: SimulatorOptions, at: number, first?: Listening) {
  if (at === 0) return options.listen ?? {};
  const port = first?.shown.port;
  return options.member?.listen ?? { host: "127.0.0.2", ...(port === undefined ? {} : { port }) };
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

function matches(call: RecordedCall, which: Parameters<Simulator["countCalls"]>[0]): boolean {
  if (which === undefined) return true;
  return typeof which === "string" ? call.method === which : which(call);
}

/** Lets operations that have begun come to their end, so that nothing moves in a lab that is taken down next. */
async function close(world: World, servers: readonly Listening[]): Promise<void> {
  endSessions(world);
  await Promise.all(servers.map((server) => server.close()));
  await world.operations.idle();
}
