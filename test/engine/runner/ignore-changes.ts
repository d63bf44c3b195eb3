import { type PropertyPath, parsePropertyPath } from "./property-path.ts";
import { isMap, type PropertyMap, type PropertyValue, Secret, secret } from "./values.ts";

export interface KeptInputs {
  readonly inputs: PropertyMap;
  /** Paths that name an element which one side lacks: the lists, or the maps around it, have to fit. */
  readonly unfit: readonly string[];
}

/** The inputs with the old values at the ignored paths. A path that cannot be read is passed over, as the engine does. */
export function keepIgnored(inputs: PropertyMap, old: PropertyMap, paths: readonly string[]): KeptInputs {
  const kept = copyOf(inputs) as PropertyMap;
  const unfit = paths.filter((text) => {
    const path = parsePropertyPath(text);
    return path !== undefined && !reset(path, { value: old, secret: false }, { value: kept, secret: false });
  });
  return { inputs: kept, unfit };
}

/** A value without its own secret mark, and whether it, or what it is part of, had one. */
interface Place {
  readonly value: PropertyValue | undefined;
  readonly secret: boolean;
}

/** Puts the old value at the path into `now`; false if the path does not fit both. */
function reset(path: PropertyPath, oldPlace: Place, newPlace: Place): boolean {
  const [old, now] = [unwrap(oldPlace), unwrap(newPlace)];
  const [key, ...rest] = path;
  if (key === undefined) return false;
  if (key === "*") return rest.length === 0 ? resetAll(old, now) : resetInAll(rest, old, now);
  if (typeof key === "number") return rest.length === 0 ? resetItem(key, old, now) : resetInItem(key, rest, old, now);
  return rest.length === 0 ? resetKey(key, old, now) : resetInKey(key, rest, old, now);
}

function resetKey(key: string, old: Place, now: Place): boolean {
  const value = isMap(old.value) ? old.value[key] : undefined;
  if (value === undefined) {
    if (isMap(now.value)) delete now.value[key];
    return true;
  }
  if (!isMap(now.value)) return false;
  now.value[key] = carried(value, old, now);
  return true;
}

function resetInKey(key: string, rest: PropertyPath, old: Place, now: Place): boolean {
  if (!isMap(old.value) || !isMap(now.value)) return !isMap(old.value) && !isMap(now.value);
  const [before, after] = [old.value[key], now.value[key]];
  if (after === undefined) return before === undefined;
  return reset(rest, part(before, old), part(after, now));
}

function resetItem(index: number, old: Place, now: Place): boolean {
  if (index < 0) return false;
  if (!Array.isArray(old.value) || !Array.isArray(now.value))
    return !Array.isArray(old.value) && !Array.isArray(now.value);
  const [before, after] = [old.value[index], now.value[index]];
  if (before === undefined || after === undefined) return before === after;
  now.value[index] = carried(before, old, now);
  return true;
}

function resetInItem(index: number, rest: PropertyPath, old: Place, now: Place): boolean {
  if (index < 0) return false;
  if (!Array.isArray(old.value) || !Array.isArray(now.value))
    return !Array.isArray(old.value) && !Array.isArray(now.value);
  const [before, after] = [old.value[index], now.value[index]];
  return before !== undefined && after !== undefined && reset(rest, part(before, old), part(after, now));
}

function resetAll(old: Place, now: Place): boolean {
  if (isMap(now.value)) {
    if (!isMap(old.value)) return true;
    for (const key of Object.keys(now.value)) delete now.value[key];
    for (const [key, value] of Object.entries(old.value)) now.value[key] = carried(value, old, now);
    return true;
  }
  if (!Array.isArray(now.value)) return false;
  if (!Array.isArray(old.value)) return true;
  const length = now.value.length;
  for (const [index, value] of old.value.slice(0, length).entries()) now.value[index] = carried(value, old, now);
  return old.value.length === length;
}

function resetInAll(rest: PropertyPath, old: Place, now: Place): boolean {
  if (isMap(old.value) && isMap(now.value)) {
    const after = now.value;
    return Object.entries(old.value).every(([key, value]) => {
      return after[key] !== undefined && reset(rest, part(value, old), part(after[key], now));
    });
  }
  if (!Array.isArray(old.value) || !Array.isArray(now.value)) return false;
  const after = now.value;
  const fits = old.value
    .slice(0, after.length)
    .every((value, index) => reset(rest, part(value, old), part(after[index], now)));
  return fits && old.value.length === after.length;
}

/** A part of something secret that lands where nothing is secret takes the mark along. */
function carried(value: PropertyValue, old: Place, now: Place): PropertyValue {
  return old.secret && !now.secret ? secret(value) : value;
}

function part(value: PropertyValue | undefined, { secret }: Place): Place {
  return { value, secret };
}

function unwrap(place: Place): Place {
  const { value } = place;
  return value instanceof Secret ? unwrap({ value: value.value, secret: true }) : place;
}

function copyOf(value: PropertyValue): PropertyValue {
  if (value instanceof Secret) return new Secret(copyOf(value.value));
  if (Array.isArray(value)) return value.map(copyOf);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)])) : value;
}
