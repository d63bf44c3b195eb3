import { isUnknown } from "../validation/unknown";
import type { DiffAnswer, Props } from "./handler";

/** The text of a property, or `undefined` when it is absent or not a text. */
export function textOf(props: Props, key: string): string | undefined {
  const value = props[key];
  return typeof value === "string" ? value : undefined;
}

export function numberOf(props: Props, key: string): number | undefined {
  const value = props[key];
  return typeof value === "number" ? value : undefined;
}

export function textsOf(props: Props, key: string): string[] {
  const value = props[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

export function textMapOf(props: Props, key: string): Record<string, string> {
  const value = props[key];
  if (value === null || typeof value !== "object" || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string"));
}

/**
 * The bag without `undefined` and the provider's own source text: the engine refuses `undefined` in outputs after the
 * create has happened, which would leave an orphan.
 */
export function plain(props: Props): Props {
  const kept = Object.entries(props).filter(([key, value]) => value !== undefined && key !== "__provider");
  return Object.fromEntries(kept.map(([key, value]) => [key, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(kept.map(([key, item]) => [key, plainValue(item)]));
}

/** What a map has under a key; `undefined` for the names that every object inherits, such as `constructor`. */
export function ownOf<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Equality of plain data; the order of keys in an object does not count. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => equal(ownOf(a as Props, key), ownOf(b as Props, key)));
}

/** Properties among `keys` that differ; one that is unknown counts as changed. */
export function changedKeys(olds: Props, news: Props, keys: readonly string[]): string[] {
  return keys.filter((key) => isUnknown(news[key]) || !equal(olds[key], news[key]));
}

/**
 * Inputs as a refresh reports them, with what it found amiss, if anything: the engine shows the changes of inputs, and of
 * outputs only where no input of that name was given. A secret input that is left out once comes back in clear.
 */
export function withDrift(inputs: Props, drift: readonly string[]): Props {
  const { drift: former, ...others } = inputs;
  return { ...others, drift: [...drift] };
}

export function diffAnswer(changed: readonly string[], replaces: readonly string[]): DiffAnswer {
  return { changes: changed.length > 0 || replaces.length > 0, replaces, deleteBeforeReplace: true };
}
