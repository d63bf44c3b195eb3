import type { Value } from "./contract.ts";
import { host, hostMetrics } from "./fields/host.ts";
import { network } from "./fields/network.ts";
import { pbd } from "./fields/pbd.ts";
import { bond, pif, pifMetrics, vlan } from "./fields/pif.ts";
import { pool, session } from "./fields/pool.ts";
import { task } from "./fields/task.ts";
import { vif, vifMetrics } from "./fields/vif.ts";
import { vm, vmGuestMetrics, vmMetrics } from "./fields/vm.ts";
import { accept, parseType, type Type, zero } from "./types.ts";

/** One field of a class. */
export interface Field {
  readonly name: string;
  readonly type: Type;
  readonly qualifier: "RW" | "ctor" | "RO";
  readonly since: ApiVersion;
  readonly initial: Value;
}

/** Major and minor number, as in `host.API_version_major` and `…_minor`. */
export type ApiVersion = readonly [major: number, minor: number];

/** The fields of a class, by name, in the order in which records show them. */
export type ClassTable = ReadonlyMap<string, Field>;

const tables = {
  session,
  pool,
  host,
  host_metrics: hostMetrics,
  network,
  PIF: pif,
  PIF_metrics: pifMetrics,
  VIF: vif,
  VIF_metrics: vifMetrics,
  VM: vm,
  VM_metrics: vmMetrics,
  VM_guest_metrics: vmGuestMetrics,
  task,
  PBD: pbd,
  VLAN: vlan,
  Bond: bond,
};

/** The classes with the fields that an API version has. */
export function classTables(api: ApiVersion): ReadonlyMap<string, ClassTable> {
  return new Map(Object.entries(tables).map(([name, table]) => [name, parseTable(table, api)]));
}

/** Reads `2.10`, which comes after `2.9`. */
export function parseApi(text: string): ApiVersion {
  const [major = "", minor = ""] = text.split(".");
  return [Number(major), Number(minor)];
}

export function isAtLeast(api: ApiVersion, wanted: ApiVersion): boolean {
  return api[0] > wanted[0] || (api[0] === wanted[0] && api[1] >= wanted[1]);
}

function parseTable(table: string, api: ApiVersion): ClassTable {
  const fields = table.trim().split("\n").map(parseField);
  return new Map(fields.filter((field) => isAtLeast(api, field.since)).map((field) => [field.name, field]));
}

function parseField(line: string): Field {
  const [name = "", typeText = "", qualifier, since = "", initialText] = line.split(" ");
  if (qualifier !== "RW" && qualifier !== "ctor" && qualifier !== "RO") throw new Error(`No qualifier in: ${line}`);
  const type = parseType(typeText);
  return { name, type, qualifier, since: parseApi(since), initial: initialValue(type, name, initialText) };
}

function initialValue(type: Type, name: string, text: string | undefined): Value {
  if (text === undefined) return zero(type);
  if (type.kind === "bool") return text === "true";
  return accept(type, name, type.kind === "set" || type.kind === "map" ? JSON.parse(text) : text);
}
