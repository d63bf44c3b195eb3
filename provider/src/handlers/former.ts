import { XennetError } from "../core/errors";
import { formerKey } from "./marks";
import { ownOf } from "./props";
import { isFormer } from "./record-shapes";

/**
 * What an object was before this provider changed it: adoption and taking over write it into the object's own
 * `other_config` before anything else, so that giving back needs no state.
 */
export interface Former {
  /** The resource that changed it. */
  readonly owner: string;
  /** XAPI's fields by name, as they were. Only fields that were or are managed. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Keys of `other_config` as they were; `null`: the key was absent, and is removed again. */
  readonly otherConfig: Readonly<Record<string, string | null>>;
}

/** The parts of an object that a resource declares. */
export interface Managed {
  /** XAPI's fields by name. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly otherConfig: Readonly<Record<string, string>>;
}

/** Reads the former values in an object's `other_config`; `undefined` for an object that we made. */
export function formerIn(
  what: "network" | "VIF",
  uuid: string,
  otherConfig: Readonly<Record<string, string>>,
): Former | undefined {
  const text = otherConfig[formerKey];
  if (text === undefined) return undefined;
  try {
    const record: unknown = JSON.parse(text);
    if (!isFormer(what, record)) throw new Error("it has another form");
    const { owner, values, otherConfig: config } = record as Former;
    return { owner, values, otherConfig: config };
  } catch (cause) {
    const command = what === "VIF" ? "vif-param" : "network-param";
    const without =
      what === "VIF" ? "the VIF destroyed instead of given back" : "the values taken that the stack's state has";
    throw new XennetError(
      "FORMER_UNREADABLE",
      `${what} ${uuid} was there before this stack, but its record of former values (other_config:${formerKey}) is unreadable. ` +
        `Correct it with \`xe ${command}-set\`, or remove the key with \`xe ${command}-remove\` to have ${without}`,
      { cause },
    );
  }
}

/** As the key's value. */
export function renderFormer(former: Former): string {
  return JSON.stringify(former);
}

/** The record with what is about to be managed for the first time; what is in it already is kept as it is. */
export function remember(
  former: Former,
  now: { readonly values: Readonly<Record<string, unknown>>; readonly otherConfig: Readonly<Record<string, string>> },
  managed: Managed,
): Former {
  const values = Object.keys(managed.values).map((field) => [field, now.values[field]]);
  const keys = Object.keys(managed.otherConfig).map((key) => [key, ownOf(now.otherConfig, key) ?? null]);
  return {
    owner: former.owner,
    values: { ...Object.fromEntries(values), ...former.values },
    otherConfig: { ...Object.fromEntries(keys), ...former.otherConfig },
  };
}

/** What the object has to be: what is declared, and for what is not declared any more its former value. */
export function wanted(former: Former, managed: Managed): Former {
  return {
    owner: former.owner,
    values: { ...former.values, ...managed.values },
    otherConfig: { ...former.otherConfig, ...managed.otherConfig },
  };
}

/** The record without what has been given back. */
export function forget(former: Former, managed: Managed): Former {
  const kept = <T>(entries: Readonly<Record<string, T>>, by: object) =>
    Object.fromEntries(Object.entries(entries).filter(([key]) => Object.hasOwn(by, key)));
  return {
    owner: former.owner,
    values: kept(former.values, managed.values),
    otherConfig: kept(former.otherConfig, managed.otherConfig),
  };
}

/** An `other_config` with these keys set, or removed where the value is `null`; all others stay. */
export function withKeys(
  otherConfig: Readonly<Record<string, string>>,
  keys: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const merged: Record<string, string | null> = { ...otherConfig, ...keys };
  return Object.fromEntries(Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== null));
}
