import struct from "google-protobuf/google/protobuf/struct_pb.js";

/** A property value as the engine sees it: JSON, plus secrets and values that are not known yet. */
export type PropertyValue = null | boolean | number | string | Unknown | Secret | PropertyValue[] | PropertyMap;
export interface PropertyMap {
  [key: string]: PropertyValue;
}

/** A value that only the real up will know. */
export class Unknown {
  readonly kind = "unknown";
}

export const unknown = new Unknown();

/** A value that must not be shown and is stored encrypted. */
export class Secret {
  readonly value: PropertyValue;

  constructor(value: PropertyValue) {
    this.value = value;
  }
}

// Pulumi's wire format; the same constants stand in the SDK's runtime/rpc.js.
export const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
export const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
export const UNKNOWN_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The property that carries a dynamic resource's provider; it is never shown. */
export const PROVIDER_PROPERTY = "__provider";

/** Decodes what came over the wire; a value of a kind that is not supported is refused by its signature. */
export function fromStruct(message: struct.Struct | undefined): PropertyMap {
  return message === undefined ? {} : decodeMap(message.toJavaScript());
}

export function decodeMap(plain: { readonly [key: string]: unknown }): PropertyMap {
  return Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, decode(value)]));
}

function decode(plain: unknown): PropertyValue {
  if (plain === UNKNOWN_SENTINEL) return unknown;
  if (plain === null || typeof plain === "boolean" || typeof plain === "number" || typeof plain === "string") {
    return plain;
  }
  if (Array.isArray(plain)) return plain.map(decode);
  if (typeof plain !== "object") throw new Error(`A property value of type ${typeof plain} cannot be sent.`);
  const fields = plain as { readonly [key: string]: unknown };
  const signature = fields[SIGNATURE_KEY];
  if (signature === undefined) return decodeMap(fields);
  if (signature !== SECRET_SIGNATURE) {
    throw new Error(
      `The stack runner supports plain values, secrets and unknown values only; it got a value with signature ${signature} (an asset, archive, resource reference or output value). Pass a plain value, or use the real engine.`,
    );
  }
  return secret(decode(fields["value"]));
}

export interface EncodeOptions {
  /** Wrap secrets instead of sending their plain value. */
  readonly keepSecrets?: boolean;
  /** Leave out properties that are null, as the engine does with the old inputs of a check. */
  readonly dropNulls?: boolean;
  /** Leave out what is unknown, as the engine does where nothing may be. */
  readonly dropUnknowns?: boolean;
}

export function toStruct(map: PropertyMap, options: EncodeOptions = {}): struct.Struct {
  return struct.Struct.fromJavaScript(encodeMap(map, options) as { [key: string]: struct.JavaScriptValue });
}

function encodeMap(map: PropertyMap, options: EncodeOptions): { [key: string]: unknown } {
  const entries = Object.entries(map).filter(([, value]) => !isDropped(value, options));
  return Object.fromEntries(entries.map(([key, value]) => [key, encode(value, options)]));
}

function isDropped(value: PropertyValue, options: EncodeOptions): boolean {
  if (value === null) return options.dropNulls === true;
  return options.dropUnknowns === true && (value instanceof Secret ? value.value : value) instanceof Unknown;
}

function encode(value: PropertyValue, options: EncodeOptions): unknown {
  if (value instanceof Unknown) return UNKNOWN_SENTINEL;
  if (value instanceof Secret) {
    const inner = encode(value.value, options);
    return options.keepSecrets === true ? { [SIGNATURE_KEY]: SECRET_SIGNATURE, value: inner } : inner;
  }
  if (Array.isArray(value)) {
    const kept = value.filter((item) => item === null || !isDropped(item, options));
    return kept.map((item) => encode(item, options));
  }
  return isMap(value) ? encodeMap(value, options) : value;
}

export function secret(value: PropertyValue): Secret {
  return value instanceof Secret ? value : new Secret(value);
}

export function isMap(value: PropertyValue | undefined): value is PropertyMap {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    !(value instanceof Unknown)
  );
}

/** True if `matches` holds for the value or anything inside it. */
function contains(value: PropertyValue, matches: (value: PropertyValue) => boolean): boolean {
  if (matches(value)) return true;
  if (value instanceof Secret) return contains(value.value, matches);
  if (Array.isArray(value)) return value.some((item) => contains(item, matches));
  return isMap(value) && Object.values(value).some((item) => contains(item, matches));
}

function containsSecrets(value: PropertyValue): boolean {
  return contains(value, (item) => item instanceof Secret);
}

export function containsUnknowns(value: PropertyValue): boolean {
  return contains(value, (item) => item instanceof Unknown);
}

/** The properties that are known as a whole. */
export function withoutUnknowns(map: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => !containsUnknowns(value)));
}

/** The value without secret marks. */
export function reveal(value: PropertyValue): PropertyValue {
  if (value instanceof Secret) return reveal(value.value);
  if (Array.isArray(value)) return value.map(reveal);
  return isMap(value) ? revealMap(value) : value;
}

function revealMap(map: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, reveal(value)]));
}

/**
 * A provider that answers with plain values loses the secret marks: a property is secret again when the property of the
 * same name was secret, or held a secret, on the way in.
 */
export function markSecrets(values: PropertyMap, like: PropertyMap): void {
  for (const [key, before] of Object.entries(like)) {
    const value = values[key];
    if (value === undefined) continue;
    if (isMap(value) && isMap(before)) markSecrets(value, before);
    else if (containsSecrets(before)) values[key] = secret(value);
  }
}
