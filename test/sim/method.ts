import type { Value } from "./contract.ts";
import { type ApiVersion, parseApi } from "./fields.ts";
import type { Endpoint } from "./pool-role.ts";
import { accept, parseType, type Type, zero } from "./types.ts";
import type { World } from "./world.ts";

/** What a call runs in: the world, the host that was asked, and the session it came with (a null reference for the administrator's hand). */
export interface CallContext {
  readonly world: World;
  readonly endpoint: Endpoint;
  readonly session: string;
}

/** One call that the server offers. */
export interface Method {
  readonly name: string;
  /** Without the session. */
  readonly params: readonly Param[];
  readonly result: Type;
  readonly async: boolean;
  readonly needsSession: boolean;
  readonly since: ApiVersion;
  readonly run: (context: CallContext, args: readonly Value[]) => Result;
}

export interface Param {
  readonly name: string;
  readonly type: Type;
  /** Taken when the client leaves the parameter out. */
  readonly initial: Value | undefined;
}

type Result = Value | undefined | Promise<Value | undefined>;

interface MethodOptions {
  readonly async?: boolean;
  readonly needsSession?: boolean;
  /** The API version that brought the call. */
  readonly since?: string;
}

/**
 * Declares a call. The signature reads `self ref<VIF>, network ref<network>, originator string=`; `run` gets the
 * parameters one by one, in the types that the signature promises.
 */
export function method<A extends readonly Value[]>(
  name: string,
  signature: string,
  result: string,
  run: (context: CallContext, ...args: A) => Result,
  options: MethodOptions = {},
): Method {
  return {
    name,
    params: signature === "" ? [] : signature.split(", ").map(parseParam),
    result: parseType(result),
    async: options.async ?? false,
    needsSession: options.needsSession ?? true,
    since: parseApi(options.since ?? "1.1"),
    run: (context, args) => run(context, ...(args as unknown as A)),
  };
}

/** True for calls that can change the pool, as opposed to looking at it or keeping the client's own house. */
export function isWriting(name: string): boolean {
  const [className = "", verb = ""] = name.split(".");
  return !["session", "event", "task", "system", "message"].includes(className) && !/^(get|assert)_/.test(verb);
}

function parseParam(text: string): Param {
  const [, name = "", typeText = "", initial] = /^(\w+) ([^=]+)(?:=(.*))?$/.exec(text) ?? [];
  const type = parseType(typeText);
  if (initial === undefined) return { name, type, initial };
  return { name, type, initial: initial === "" ? zero(type) : accept(type, name, initial) };
}
