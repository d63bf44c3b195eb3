import { isMap, type PropertyValue, Secret, Unknown } from "./values.ts";

/** A value as the engine words it in its messages: `{text}`, `{[{1} {2}]}`, `{map[key:{value}]}`. */
export function describeValue(value: PropertyValue | undefined): string {
  if (value instanceof Unknown) return "output<string>{}";
  return `{${describeContent(value)}}`;
}

function describeContent(value: PropertyValue | undefined): string {
  if (value === undefined || value === null) return "<nil>";
  if (value instanceof Secret) return `&{${describeValue(value.value)}}`;
  if (Array.isArray(value)) return `[${value.map(describeValue).join(" ")}]`;
  if (isMap(value)) {
    const keys = Object.keys(value).sort();
    return `map[${keys.map((key) => `${key}:${describeValue(value[key])}`).join(" ")}]`;
  }
  return typeof value === "number" ? describeNumber(value) : String(value);
}

/** The engine writes exponents from a million on and below a ten-thousandth, with two digits at least. */
function describeNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(value);
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}
