import type { Value } from "./contract.ts";
import { isStruct, mapValues, type Type } from "./types.ts";
import type { Typed } from "./xml.ts";
import type { RpcCall } from "./xml-call.ts";

/** A JSON-RPC request and what its reply has to repeat. */
export interface JsonCall extends RpcCall {
  readonly id: Value | null;
  readonly version: 1 | 2;
}

/** Reads a JSON-RPC request; `"jsonrpc": "2.0"` decides the form of the reply. */
export function parseJsonCall(body: string): JsonCall {
  const request: unknown = JSON.parse(body);
  if (typeof request !== "object" || request === null) throw new Error("The request is no JSON object.");
  const { method, params, id, jsonrpc } = request as Record<string, unknown>;
  if (typeof method !== "string") throw new Error("The request has no method.");
  if (params !== undefined && !Array.isArray(params))
    throw new Error("Parameters are positional: params must be an array.");
  return { method, params: params ?? [], id: (id as Value | undefined) ?? null, version: jsonrpc === "2.0" ? 2 : 1 };
}

export function jsonSuccess(call: JsonCall, result: unknown): string {
  const { id } = call;
  return JSON.stringify(call.version === 2 ? { jsonrpc: "2.0", result, id } : { result, error: null, id });
}

export function jsonFailure(call: JsonCall, description: readonly string[]): string {
  const [message, ...data] = description;
  const { id } = call;
  return JSON.stringify(
    call.version === 2
      ? { jsonrpc: "2.0", error: { code: 1, message, data }, id }
      : { result: null, error: description, id },
  );
}

/** A value in JSON: as it is, but for the values that carry their own type. */
export function jsonValue(type: Type, value: Value): unknown {
  if (type.kind === "dynamic") {
    const typed = value as unknown as Typed;
    return jsonValue(typed.type, typed.value);
  }
  if (type.kind === "set" && Array.isArray(value)) return value.map((item) => jsonValue(type.of, item));
  if (type.kind === "struct" && isStruct(value)) {
    return mapValues(value, (item, name) => jsonValue(type.fields[name] ?? { kind: "string" }, item));
  }
  return value;
}
