import { now } from "./clock.ts";
import type { Value } from "./contract.ts";
import { XapiFailure } from "./errors.ts";
import type { CallContext, Method } from "./method.ts";
import { assertMaster, type Endpoint, masterOf } from "./pool-role.ts";
import { assertAllowed } from "./roles.ts";
import { startTask } from "./tasks.ts";
import { accept, nullRef } from "./types.ts";
import type { World } from "./world.ts";
import type { Typed } from "./xml.ts";

/** All calls of a profile, by name. */
export type MethodTable = ReadonlyMap<string, Method>;

/** A call whose name was understood. */
export interface ResolvedCall {
  readonly method: Method;
  readonly async: boolean;
}

/** Finds the method of a name: `VIF.plug`, `Async.VIF.plug`, or the synonym `VIF_plug`. */
export function resolve(methods: MethodTable, name: string): ResolvedCall | undefined {
  const async = name.startsWith("Async.");
  const plain = async ? name.slice("Async.".length) : name;
  const found = methods.get(plain) ?? (async ? undefined : synonym(methods, name));
  return found && { method: found, async };
}

/** Runs a call from the wire: arity, session, types, then the method itself or a task that runs it. */
export async function dispatch(
  world: World,
  endpoint: Endpoint,
  call: ResolvedCall,
  params: readonly Value[],
): Promise<Typed> {
  const { method } = call;
  if (call.async && !method.async) {
    throw new XapiFailure("Fault", [`The operation ${method.name} cannot be called in the asynchronous mode.`]);
  }
  const args = method.needsSession ? params.slice(1) : params;
  checkArity(method, args.length, params.length === 0 && method.needsSession);
  const session = method.needsSession ? checkSession(world, endpoint, params[0]) : nullRef;
  if (method.needsSession) assertAllowed(world.role, method);
  return run({ world, endpoint, session }, call, args);
}

/** Runs a call without session or task, for the administrator's hand. */
export async function runDirectly(world: World, method: Method, args: readonly Value[]): Promise<Value> {
  checkArity(method, args.length, false);
  const context = { world, endpoint: masterOf(world), session: nullRef };
  const { value } = await run(context, { method, async: false }, args);
  return value;
}

async function run(context: CallContext, call: ResolvedCall, sent: readonly Value[]): Promise<Typed> {
  const { method } = call;
  const args = method.params.map((param, at) => accept(param.type, param.name, sent[at] ?? param.initial ?? ""));
  const work = async () => {
    assertReferences(context.world, method, args);
    if (isPretended(context.world, method.name)) return "";
    return method.run(context, args);
  };
  if (call.async) return { type: { kind: "ref", of: "task" }, value: startTask(context, method, work) };
  return { type: method.result, value: (await work()) ?? "" };
}

function isPretended({ pretended }: World, name: string): boolean {
  const left = pretended.get(name) ?? 0;
  if (left > 0) pretended.set(name, left - 1);
  return left > 0;
}

/** The class name may hold underscores too (`VM_guest_metrics_get_record`), so every one can be the dot. */
function synonym(methods: MethodTable, name: string): Method | undefined {
  for (let at = name.indexOf("_"); at > 0; at = name.indexOf("_", at + 1)) {
    const found = methods.get(`${name.slice(0, at)}.${name.slice(at + 1)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function checkArity(method: Method, received: number, lacksSession: boolean): void {
  const required = method.params.filter((param) => param.initial === undefined).length;
  if (!lacksSession && received >= required && received <= method.params.length) return;
  const counts = [method.params.length, lacksSession ? -1 : received].map(String);
  throw new XapiFailure("MESSAGE_PARAMETER_COUNT_MISMATCH", [method.name, ...counts]);
}

function checkSession(world: World, endpoint: Endpoint, sent: Value | undefined): string {
  assertMaster(world, endpoint);
  if (typeof sent === "string" && world.db.has("session", sent)) {
    world.db.update("session", sent, { last_active: now() });
    return sent;
  }
  throw new XapiFailure("SESSION_INVALID", [String(sent)]);
}

function assertReferences(world: World, method: Method, args: readonly Value[]): void {
  for (const [at, { type }] of method.params.entries()) {
    if (type.kind !== "ref" || !world.db.tables.has(type.of)) continue;
    const ref = String(args[at]);
    if (!world.db.has(type.of, ref)) throw new XapiFailure("HANDLE_INVALID", [type.of, ref]);
  }
}
