import { isMap, PROVIDER_PROPERTY, type PropertyMap, type PropertyValue, reveal, Unknown } from "./values.ts";

/** Equality of values, secret marks aside. Two unknown values are equal. */
export function equal(left: PropertyValue | undefined, right: PropertyValue | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return equalPlain(reveal(left), reveal(right));
}

function equalPlain(left: PropertyValue, right: PropertyValue): boolean {
  if (left instanceof Unknown || right instanceof Unknown) return left instanceof Unknown && right instanceof Unknown;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => equal(item, right[index]));
  }
  if (isMap(left) && isMap(right)) return changedKeys(left, right).length === 0;
  return left === right;
}

/** Properties that differ, in the order of their first appearance. A null property equals an absent one. */
export function changedKeys(before: PropertyMap, after: PropertyMap): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.filter((key) => !equal(before[key] ?? undefined, after[key] ?? undefined));
}

/** {@link changedKeys} without the provider's own source text. */
export function changedProperties(before: PropertyMap, after: PropertyMap): string[] {
  return changedKeys(before, after).filter((key) => key !== PROVIDER_PROPERTY);
}
