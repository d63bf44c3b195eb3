import type { Value } from "./contract.ts";
import type { Database } from "./database.ts";
import { XapiFailure } from "./errors.ts";
import type { Field } from "./fields.ts";
import { type CallContext, type Method, method } from "./method.ts";
import { accept, isStruct, type Type } from "./types.ts";
import { texts } from "./world.ts";

/** Sessions are nobody else's business: they are not listed. */
const unlisted = ["session"];

/** A pool is the only one of its kind and not found by name. */
const unnamed = ["pool"];

/** The calls that every class has because of its fields. */
export function genericMethods(db: Database): Method[] {
  return [...db.tables].flatMap(([className, table]) => [
    ...recordMethods(className),
    ...(unlisted.includes(className) ? [] : listMethods(className)),
    ...(table.has("name_label") && !unnamed.includes(className) ? [getByNameLabel(className)] : []),
    ...[...table.values()].flatMap((field) => fieldMethods(className, field)),
  ]);
}

function recordMethods(className: string): Method[] {
  return [
    method(`${className}.get_record`, `self ref<${className}>`, `record<${className}>`, ({ world }, self: string) =>
      world.db.record(className, self),
    ),
    method(`${className}.get_by_uuid`, "uuid string", `ref<${className}>`, ({ world }, uuid: string) =>
      world.db.byUuid(className, uuid),
    ),
  ];
}

function listMethods(className: string): Method[] {
  return [
    method(`${className}.get_all`, "", `set<ref<${className}>>`, ({ world }) => world.db.refs(className)),
    method(`${className}.get_all_records`, "", `map<ref<${className}>,record<${className}>>`, ({ world }) =>
      Object.fromEntries(world.db.refs(className).map((ref) => [ref, world.db.record(className, ref)])),
    ),
  ];
}

function getByNameLabel(className: string): Method {
  const run = ({ world }: CallContext, label: string) => world.db.where(className, "name_label", label);
  return method(`${className}.get_by_name_label`, "label string", `set<ref<${className}>>`, run);
}

function fieldMethods(className: string, field: Field): Method[] {
  const { name, type } = field;
  const run = ({ world }: CallContext, self: string) => world.db.field(className, self, name);
  const get = { ...method(`${className}.get_${name}`, `self ref<${className}>`, "void", run), result: type };
  if (field.qualifier !== "RW") return [get];
  const set = fieldMethod(`${className}.set_${name}`, className, [["value", type]], ({ world }, self, value) =>
    world.db.update(className, self, { [name]: value }),
  );
  if (type.kind === "map") return [get, set, ...mapMethods(className, name, type.key, type.value)];
  if (type.kind === "set") return [get, set, ...setMethods(className, name, type.of)];
  return [get, set];
}

function mapMethods(className: string, field: string, key: Type, value: Type): Method[] {
  const current = (db: Database, self: string) => db.row(className, self)[field] as Record<string, Value>;
  const add = ({ world }: CallContext, self: string, newKey: Value, newValue: Value) => {
    const map = current(world.db, self);
    const name = String(newKey);
    if (Object.hasOwn(map, name)) throw new XapiFailure("MAP_DUPLICATE_KEY", [className, field, self, name]);
    world.db.update(className, self, { [field]: { ...map, [name]: newValue } });
  };
  const remove = ({ world }: CallContext, self: string, oldKey: Value) => {
    const left = Object.entries(current(world.db, self)).filter(([name]) => name !== oldKey);
    world.db.update(className, self, { [field]: Object.fromEntries(left) });
  };
  return [
    fieldMethod(
      `${className}.add_to_${field}`,
      className,
      [
        ["key", key],
        ["value", value],
      ],
      add,
    ),
    fieldMethod(`${className}.remove_from_${field}`, className, [["key", key]], remove),
  ];
}

function setMethods(className: string, field: string, member: Type): Method[] {
  const current = (db: Database, self: string) => texts(db.row(className, self)[field]);
  const without = (db: Database, self: string, value: Value) => current(db, self).filter((item) => item !== value);
  return [
    fieldMethod(`${className}.add_${field}`, className, [["value", member]], ({ world }, self, value) =>
      world.db.update(className, self, { [field]: [...without(world.db, self, value), value] }),
    ),
    fieldMethod(`${className}.remove_${field}`, className, [["value", member]], ({ world }, self, value) =>
      world.db.update(className, self, { [field]: without(world.db, self, value) }),
    ),
  ];
}

/** A call without result on `self` whose other parameters have the types of a field. */
function fieldMethod(
  name: string,
  className: string,
  params: ReadonlyArray<readonly [name: string, type: Type]>,
  run: (context: CallContext, self: string, first: Value, second: Value) => unknown,
): Method {
  const base = method(name, `self ref<${className}>`, "void", (context, self: string, first: Value, second: Value) => {
    run(context, self, first, second);
    return undefined;
  });
  return {
    ...base,
    params: [...base.params, ...params.map(([param, type]) => ({ name: param, type, initial: undefined }))],
  };
}

/** Reads the record of a `create`: only what the constructor takes, in the fields' types; other keys are ignored. */
export function acceptRecord(
  db: Database,
  className: string,
  sent: Value,
  required: readonly string[],
  optional: readonly string[],
): Record<string, Value> {
  const record = isStruct(sent) ? sent : {};
  const accepted: Record<string, Value> = {};
  for (const name of [...required, ...optional]) {
    const field = db.table(className).get(name);
    const value = Object.hasOwn(record, name) ? record[name] : undefined;
    if (field === undefined) continue;
    if (value !== undefined) accepted[name] = accept(field.type, name, value);
    else if (required.includes(name)) throw new XapiFailure("INTERNAL_ERROR", [`Dispatcher_FieldNotFound("${name}")`]);
  }
  return accepted;
}
