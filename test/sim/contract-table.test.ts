import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Value } from "./contract.ts";
import { Database } from "./database.ts";
import { classTables, isAtLeast, parseApi } from "./fields.ts";
import { connect, simulate, xmlClient } from "./fixtures.ts";
import { methodTable } from "./methods.ts";
import { profiles } from "./profiles.ts";
import { accept, isStruct, parseType, type Type } from "./types.ts";

type Table = ReadonlyMap<string, { readonly fields: Map<string, PublishedField>; readonly calls: Map<string, string> }>;

interface PublishedField {
  readonly type: string;
  readonly writable: boolean;
}

describe.each(Object.values(profiles))("what $name serves", (profile) => {
  const published = readTable(profile.api);
  const classes = classTables(profile.api);

  test("has exactly the published fields, with their types", () => {
    const served = [...classes].map(([name, table]) => [
      name,
      Object.fromEntries([...table.values()].map((field) => [field.name, typeText(field.type)])),
    ]);
    const wanted = [...published]
      .filter(([, { fields }]) => fields.size > 0)
      .map(([name, { fields }]) => [name, Object.fromEntries([...fields].map(([field, { type }]) => [field, type]))]);
    expect(Object.fromEntries(served)).toEqual(Object.fromEntries(wanted));
  });

  test("has exactly the published calls, with their results and numbers of parameters", async () => {
    const methods = methodTable(new Database(classes), profile);
    const served = [...methods.values()].map((one) => [one.name, `${typeText(one.result)} ${one.params.length}`]);
    expect(Object.fromEntries(served)).toEqual(Object.fromEntries([...published].flatMap(callsOf)));
    const simulator = await simulate({ profile: profile.name });
    const listed = await new Promise<unknown>((resolve, reject) => {
      xmlClient(simulator).methodCall("system.listMethods", [], (error, value) =>
        error ? reject(error) : resolve(value),
      );
    });
    expect(new Set(listed as string[])).toEqual(new Set(methods.keys()));
  });

  test("shows records with every published field and no other, in the types of the table", async () => {
    const client = await connect(await simulate({ profile: profile.name }));
    await client.call("task.create", "label", "");
    const seen: string[] = [];
    for (const [name, { fields, calls }] of published) {
      if (!callsOf([name, { fields, calls }]).some(([call]) => call === `${name}.get_all_records`)) continue;
      const records = await client.call<Record<string, Record<string, Value>>>(`${name}.get_all_records`);
      for (const record of Object.values(records)) {
        seen.push(name);
        expect(Object.keys(record).sort()).toEqual([...fields.keys()].sort());
        for (const [field, { type }] of fields)
          expect(() => assertFits(type, field, record[field] ?? "")).not.toThrow();
      }
    }
    const without = ["VIF_metrics", "VLAN", "Bond"];
    expect(new Set([...seen, ...without])).toEqual(new Set([...classes.keys()].filter((name) => name !== "session")));
  });
});

/** What follows from a class's fields, and what the table lists. */
function callsOf([name, { fields, calls }]: readonly [
  string,
  { fields: Map<string, PublishedField>; calls: Map<string, string> },
]) {
  const all: Array<readonly [string, string]> = [...calls].map(([call, text]) => [`${name}.${call}`, text]);
  if (fields.size === 0) return all;
  all.push([`${name}.get_record`, `record<${name}> 1`], [`${name}.get_by_uuid`, `ref<${name}> 1`]);
  if (name !== "session") {
    all.push([`${name}.get_all`, `set<ref<${name}>> 0`]);
    all.push([`${name}.get_all_records`, `map<ref<${name}>,record<${name}>> 0`]);
  }
  if (fields.has("name_label") && name !== "pool") all.push([`${name}.get_by_name_label`, `set<ref<${name}>> 1`]);
  for (const [field, { type, writable }] of fields) {
    all.push([`${name}.get_${field}`, `${type} 1`]);
    if (!writable) continue;
    all.push([`${name}.set_${field}`, "void 2"]);
    if (type.startsWith("map<")) {
      all.push([`${name}.add_to_${field}`, "void 3"], [`${name}.remove_from_${field}`, "void 2"]);
    }
    if (type.startsWith("set<")) all.push([`${name}.add_${field}`, "void 2"], [`${name}.remove_${field}`, "void 2"]);
  }
  return all;
}

function readTable(api: readonly [number, number]): Table {
  const table = new Map<string, { fields: Map<string, PublishedField>; calls: Map<string, string> }>();
  let current = { fields: new Map<string, PublishedField>(), calls: new Map<string, string>() };
  for (const line of readFileSync(new URL("contract-table.txt", import.meta.url), "utf8")
    .trim()
    .split("\n")) {
    if (line.startsWith("#")) continue;
    const [head = "", names = ""] = line.split(": ");
    const [kind = "", since = "", type = "", parameters = ""] = head.split(" ");
    if (kind === "class") {
      current = { fields: new Map(), calls: new Map() };
      table.set(since, current);
    } else if (isAtLeast(api, parseApi(since))) {
      for (const name of names.split(" ")) {
        if (kind === "call") current.calls.set(name, `${type} ${parameters}`);
        else current.fields.set(name, { type, writable: kind === "RW" });
      }
    }
  }
  return table;
}

/** The notation of the tables, from what was parsed. */
function typeText(type: Type): string {
  switch (type.kind) {
    case "enum":
      return type.words.join("|");
    case "ref":
    case "record":
      return `${type.kind}<${type.of}>`;
    case "set":
      return `set<${typeText(type.of)}>`;
    case "map":
      return `map<${typeText(type.key)},${typeText(type.value)}>`;
    default:
      return type.kind;
  }
}

/** Numbers come as text over XML, dates as objects, and a reference says what it is. */
function assertFits(text: string, name: string, value: Value | Date): void {
  const type = parseType(text);
  if (value instanceof Date) expect(type.kind).toBe("datetime");
  else if (type.kind === "ref") expect(value).toMatch(/^OpaqueRef:/);
  else if (type.kind === "map" && isStruct(value)) {
    for (const item of Object.values(value)) assertFits(typeText(type.value), name, item);
  } else accept(type, name, value);
}
