import { XapiConnectionError } from "./errors";

/** A record as it comes over the wire: XAPI's integers are strings of digits. */
export type RawRecord = Readonly<Record<string, unknown>>;

/** XAPI's reference to nothing. */
const nullRef = "OpaqueRef:NULL";

/** True for a reference to an object; very old hosts write an empty text for none. */
export function isRef(ref: string): boolean {
  return ref !== "" && ref !== nullRef;
}

/** Reads fields with their types. A field that the host is too old to know yields the fallback given. */
export class RecordReader {
  readonly #kind: string;
  readonly #raw: RawRecord;

  constructor(kind: string, raw: unknown) {
    if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
      throw unexpected(kind, "a record", raw);
    }
    this.#kind = kind;
    this.#raw = raw as RawRecord;
  }

  text(field: string, fallback?: string): string {
    const value = this.#field(field, fallback);
    if (typeof value !== "string") throw unexpected(`${this.#kind}.${field}`, "a text", value);
    return value;
  }

  flag(field: string, fallback?: boolean): boolean {
    const value = this.#field(field, fallback);
    if (typeof value !== "boolean") throw unexpected(`${this.#kind}.${field}`, "true or false", value);
    return value;
  }

  integer(field: string, fallback?: number): number {
    const value = this.#field(field, fallback);
    const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
    if (typeof number !== "number" || !Number.isInteger(number)) {
      throw unexpected(`${this.#kind}.${field}`, "an integer", value);
    }
    return number;
  }

  texts(field: string, fallback?: readonly string[]): readonly string[] {
    const value = this.#field(field, fallback);
    if (!Array.isArray(value)) throw unexpected(`${this.#kind}.${field}`, "a set", value);
    return value.map(String);
  }

  map(field: string, fallback?: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const value = this.#field(field, fallback);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw unexpected(`${this.#kind}.${field}`, "a map", value);
    }
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, String(member)]));
  }

  /** True when the host's version has the field. */
  has(field: string): boolean {
    return Object.hasOwn(this.#raw, field);
  }

  #field(field: string, fallback: unknown): unknown {
    return this.has(field) ? this.#raw[field] : fallback;
  }
}

/** Decodes the answer of `get_all_records`: reference → record. */
export function decodeAll<T>(kind: string, raw: unknown, decode: (ref: string, raw: unknown) => T): T[] {
  if (typeof raw !== "object" || raw === null) throw unexpected(kind, "a map of records", raw);
  return Object.entries(raw).map(([ref, record]) => decode(ref, record));
}

function unexpected(what: string, wanted: string, found: unknown): XapiConnectionError {
  const type = found === undefined ? "nothing" : JSON.stringify(found).slice(0, 60);
  return new XapiConnectionError(
    "XAPI_PROTOCOL",
    `The host's answer is not understood: expected ${wanted} as ${what}, found ${type}. Please report it with the host's version.`,
  );
}
