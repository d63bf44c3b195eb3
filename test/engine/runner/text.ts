import { changedProperties } from "./compare.ts";
import { isMap, PROVIDER_PROPERTY, type PropertyMap, type PropertyValue, Secret, Unknown } from "./values.ts";

/** Shown instead of a secret. */
export const SECRET_TEXT = "[secret]";
/** Shown instead of a value that only the up will know. */
const UNKNOWN_TEXT = "[unknown]";

const INDENT = "      ";

/** All properties of a new resource, one a line; text of several lines in full. */
export function describeProperties(properties: PropertyMap): string[] {
  const shown = Object.entries(properties).filter(([key, value]) => key !== PROVIDER_PROPERTY && value !== null);
  return shown.flatMap(([key, value]) => {
    const lines = multilineText(value);
    if (lines === undefined) return [`${INDENT}${key}: ${showValue(value)}`];
    return [`${INDENT}${key}:`, ...lines.map((line) => `${INDENT}  ${line}`)];
  });
}

/** The properties that differ, old → new; text of several lines in full, with its changed lines marked. */
export function describeChanges(before: PropertyMap, after: PropertyMap): string[] {
  return changedProperties(before, after).flatMap((key) => {
    const [old, value] = [before[key], after[key]];
    const [oldLines, lines] = [multilineText(old), multilineText(value)];
    if (oldLines === undefined && lines === undefined) {
      return [`${INDENT}${key}: ${showValue(old)} → ${showValue(value)}`];
    }
    if (!canShowLines(old) || !canShowLines(value)) return [`${INDENT}${key}: ${showValue(old)} → ${showValue(value)}`];
    const marked = compareLines(oldLines ?? plainLines(old), lines ?? plainLines(value));
    return [`${INDENT}${key}:`, ...marked.map((line) => `${INDENT}  ${line}`)];
  });
}

/** Names of the properties that differ, as the engine marks them: `+added,too-removed~changed`. */
export function shortDiff(before: PropertyMap, after: PropertyMap): string {
  const changed = changedProperties(before, after).sort();
  const isAdded = (key: string) => !(key in before);
  const isRemoved = (key: string) => !(key in after);
  const groups = {
    "+": changed.filter(isAdded),
    "-": changed.filter(isRemoved),
    "~": changed.filter((key) => !isAdded(key) && !isRemoved(key)),
  };
  return Object.entries(groups)
    .map(([sign, keys]) => (keys.length === 0 ? "" : `${sign}${keys.join(",")}`))
    .join("");
}

/** A value in one line, without its secrets. */
function showValue(value: PropertyValue | undefined): string {
  return value === undefined || value === null ? "(none)" : (JSON.stringify(redact(value)) ?? "(none)");
}

/** The value as plain JSON, with secrets and unknown values replaced by what they are. */
function redact(value: PropertyValue): unknown {
  if (value instanceof Secret) return SECRET_TEXT;
  if (value instanceof Unknown) return UNKNOWN_TEXT;
  if (Array.isArray(value)) return value.map(redact);
  return isMap(value) ? redactMap(value) : value;
}

export function redactMap(map: PropertyMap): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, redact(value)]));
}

function multilineText(value: PropertyValue | undefined): string[] | undefined {
  return typeof value === "string" && value.includes("\n") ? plainLines(value) : undefined;
}

function canShowLines(value: PropertyValue | undefined): boolean {
  return value === undefined || value === null || typeof value === "string";
}

function plainLines(value: PropertyValue | undefined): string[] {
  return typeof value === "string" && value !== "" ? value.replace(/\n$/, "").split("\n") : [];
}

/** Both texts merged, each line with its mark: kept, `-` removed, `+` added (longest common subsequence). */
function compareLines(before: readonly string[], after: readonly string[]): string[] {
  const common = commonLengths(before, after);
  const merged: string[] = [];
  let [left, right] = [0, 0];
  while (left < before.length || right < after.length) {
    if (left < before.length && right < after.length && before[left] === after[right]) {
      merged.push(`  ${before[left]}`);
      left += 1;
      right += 1;
    } else if (
      right >= after.length ||
      (left < before.length && at(common, left + 1, right) >= at(common, left, right + 1))
    ) {
      merged.push(`- ${before[left]}`);
      left += 1;
    } else {
      merged.push(`+ ${after[right]}`);
      right += 1;
    }
  }
  return merged;
}

/** Length of the longest common subsequence of the two tails, for each pair of positions. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  for (let left = before.length - 1; left >= 0; left -= 1) {
    for (let right = after.length - 1; right >= 0; right -= 1) {
      const row = lengths[left] as number[];
      const isSame = before[left] === after[right];
      row[right] = isSame
        ? at(lengths, left + 1, right + 1) + 1
        : Math.max(at(lengths, left + 1, right), at(lengths, left, right + 1));
    }
  }
  return lengths;
}

function at(lengths: readonly (readonly number[])[], left: number, right: number): number {
  return lengths[left]?.[right] ?? 0;
}
