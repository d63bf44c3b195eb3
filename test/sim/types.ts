import type { Value } from "./contract.ts";
import { invalidValue } from "./errors.ts";

/** A type of XAPI's data model. `dynamic` values carry their own type, as the snapshots of events do. */
export type Type =
  | { readonly kind: "string" | "int" | "i4" | "float" | "bool" | "datetime" | "void" | "dynamic" }
  | { readonly kind: "enum"; readonly words: readonly string[] }
  | { readonly kind: "ref" | "record"; readonly of: string }
  | { readonly kind: "set"; readonly of: Type }
  | { readonly kind: "map"; readonly key: Type; readonly value: Type }
  | { readonly kind: "struct"; readonly fields: Readonly<Record<string, Type>> };

export const nullRef = "OpaqueRef:NULL";

const plainKinds = ["string", "int", "i4", "float", "bool", "datetime", "void", "dynamic"] as const;

/** Reads the notation of the field tables: `int`, `ref<VM>`, `set<…>`, `map<string,ref<VIF>>`, `record<VIF>`, `a|b|c`. */
export function parseType(text: string): Type {
  const plain = plainKinds.find((kind) => kind === text);
  if (plain !== undefined) return { kind: plain };
  const [, head, inner] = /^(\w+)<(.*)>$/.exec(text) ?? [];
  if (head === undefined || inner === undefined) return { kind: "enum", words: text.split("|") };
  if (head === "set") return { kind: "set", of: parseType(inner) };
  if (head === "ref" || head === "record") return { kind: head, of: inner };
  if (head !== "map") throw new Error(`The type ${text} is none that a table may use.`);
  const comma = inner.indexOf(",");
  return { kind: "map", key: parseType(inner.slice(0, comma)), value: parseType(inner.slice(comma + 1)) };
}

/** What a field without a published default holds in a new row. */
export function zero(type: Type): Value {
  switch (type.kind) {
    case "int":
    case "i4":
    case "float":
      return 0;
    case "bool":
      return false;
    case "datetime":
      return "19700101T00:00:00Z";
    case "ref":
      return nullRef;
    case "set":
      return [];
    case "map":
    case "record":
    case "struct":
      return {};
    case "enum":
      return type.words[0] ?? "";
    default:
      return "";
  }
}

/** Takes a parameter as a client sent it, as leniently as XAPI: numbers may come as text, booleans may not. */
export function accept(type: Type, name: string, sent: Value): Value {
  switch (type.kind) {
    case "int":
    case "i4":
      if (/^-?\d+$/.test(String(sent))) return Number(sent);
      break;
    case "float":
      if (typeof sent !== "boolean" && sent !== "" && Number.isFinite(Number(sent))) return Number(sent);
      break;
    case "bool":
      if (typeof sent === "boolean") return sent;
      break;
    case "enum":
      if (typeof sent === "string" && type.words.includes(sent)) return sent;
      break;
    case "set":
      if (Array.isArray(sent)) return sent.map((item) => accept(type.of, name, item));
      break;
    case "map":
      if (isStruct(sent)) return mapValues(sent, (value) => accept(type.value, name, value));
      break;
    case "record":
    case "struct":
      if (isStruct(sent)) return sent;
      break;
    default:
      if (typeof sent === "string") return sent;
  }
  throw invalidValue(name, sent);
}

/** True for a map or record. */
export function isStruct(value: Value): value is { readonly [key: string]: Value } {
  return typeof value === "object" && !Array.isArray(value);
}

/** A map with the same keys and other values. */
export function mapValues<A, B>(
  map: Readonly<Record<string, A>>,
  change: (value: A, key: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]));
}
