import type { Value } from "./contract.ts";
import type { ClassTable } from "./fields.ts";
import { isStruct, type Type } from "./types.ts";

/** A value with the type it is written as. */
export interface Typed {
  readonly type: Type;
  readonly value: Value;
}

/** Writes a value as XAPI's marshaller does: strings and integers bare, no white space, no `<string>` or `<int>`. */
export function xmlValue(type: Type, value: Value, tables: ReadonlyMap<string, ClassTable>): string {
  const inner = (of: Type, item: Value) => xmlValue(of, item, tables);
  switch (type.kind) {
    case "bool":
      return tagged("boolean", value === true ? "1" : "0");
    case "float":
      return tagged("double", floatText(Number(value)));
    case "i4":
      return tagged("i4", String(value));
    case "datetime":
      return tagged("dateTime.iso8601", String(value));
    case "set":
      return tagged(
        "array",
        `<data>${asArray(value)
          .map((item) => inner(type.of, item))
          .join("")}</data>`,
      );
    case "map":
      return struct(asStruct(value), () => type.value, inner);
    case "record": {
      const table = tables.get(type.of);
      return struct(asStruct(value), (name) => table?.get(name)?.type, inner);
    }
    case "struct":
      return struct(asStruct(value), (name) => type.fields[name], inner);
    case "dynamic": {
      const typed = value as unknown as Typed;
      return inner(typed.type, typed.value);
    }
    default:
      return `<value>${escapeXml(String(value))}</value>`;
  }
}

/** The reply to a call, in XAPI's envelope. */
export function xmlSuccess(value: string): string {
  return response(
    `<value><struct>${member("Status", "<value>Success</value>")}${member("Value", value)}</struct></value>`,
  );
}

/** The reply to a call that failed; HTTP says 200 all the same. */
export function xmlFailure(description: readonly string[]): string {
  const texts = description.map((text) => `<value>${escapeXml(text)}</value>`).join("");
  const description_ = member("ErrorDescription", tagged("array", `<data>${texts}</data>`));
  return response(`<value><struct>${member("Status", "<value>Failure</value>")}${description_}</struct></value>`);
}

/** A reply without the envelope, as `system.listMethods` gives. */
export function response(value: string): string {
  return `<?xml version="1.0"?><methodResponse><params><param>${value}</param></params></methodResponse>`;
}

/** `%.16g`, which is what C prints: shorter than 17 digits, never an exponent for the sizes that occur here. */
function floatText(value: number): string {
  return String(Number(value.toPrecision(16)));
}

function struct(
  value: Readonly<Record<string, Value>>,
  typeOf: (name: string) => Type | undefined,
  inner: (type: Type, value: Value) => string,
): string {
  const members = Object.entries(value).map(([name, item]) => {
    const type = typeOf(name);
    if (type === undefined) throw new Error(`The field ${name} has no type.`);
    return member(name, inner(type, item));
  });
  return tagged("struct", members.join(""));
}

function member(name: string, value: string): string {
  return `<member><name>${escapeXml(name)}</name>${value}</member>`;
}

function tagged(tag: string, content: string): string {
  return `<value><${tag}>${content}</${tag}></value>`;
}

function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

function asArray(value: Value): readonly Value[] {
  if (!Array.isArray(value)) throw new Error(`A set was expected, ${JSON.stringify(value)} came.`);
  return value;
}

function asStruct(value: Value): Readonly<Record<string, Value>> {
  if (!isStruct(value)) throw new Error(`A map or record was expected, ${JSON.stringify(value)} came.`);
  return value;
}
