import { expected, type Problem } from "./problem";

/** Ports from one to another, both included; a single port has both ends equal. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Reads a port (number or text) or a range such as `"8000-8010"`; `undefined` for anything else. */
export function parsePortRange(value: unknown): PortRange | undefined {
  const text = typeof value === "number" ? String(value) : value;
  const match = typeof text === "string" ? /^([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?$/.exec(text) : null;
  if (match?.[1] === undefined) return undefined;
  const from = Number(match[1]);
  const to = match[2] === undefined ? from : Number(match[2]);
  return from <= to && to <= 65535 ? { from, to } : undefined;
}

/** The inverse of {@link parsePortRange}: `80`, or `8000-8010`. */
export function renderPortRange(range: PortRange): string {
  return range.from === range.to ? String(range.from) : `${range.from}-${range.to}`;
}

/** How many ports the range has. */
export function sizeOf(range: PortRange): number {
  return range.to - range.from + 1;
}

/** True when the two ranges share a port. */
export function portsOverlap(a: PortRange, b: PortRange): boolean {
  return a.from <= b.to && b.from <= a.to;
}

export function checkPortRange(property: string, value: unknown): Problem[] {
  if (parsePortRange(value) !== undefined) return [];
  const isText = typeof value === "string" && /^[0-9]+-[0-9]+$/.test(value);
  const wanted = isText
    ? 'a range of ports from 1 to 65535, the lower one first, such as "8000-8010"'
    : "a port, an integer from 1 to 65535";
  return [expected(property, wanted, value)];
}
