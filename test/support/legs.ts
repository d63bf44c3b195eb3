import { appendFileSync } from "node:fs";

/**
 * A leg is one way to run the same tests: on another host, iptables, shell or engine. With `XENNET_TESTS=all`, as `npm run test:all`
 * sets it, all of them run; else the first, and the others are written down for the end of `npm test`.
 */
export function legs<const Leg>(first: Leg, ...others: readonly Leg[]): Leg[] {
  return [first, ...others.slice(leftOut(...others).length)];
}

/** Those of these legs that do not run: none with `XENNET_TESTS=all`, else all. */
export function leftOut<const Leg>(...others: readonly Leg[]): readonly Leg[] {
  if (process.env["XENNET_TESTS"] === "all") return [];
  const file = process.env["XENNET_LEFT_OUT"];
  // One short write each, as test files run side by side.
  if (file !== undefined) for (const leg of others) appendFileSync(file, `${nameOf(leg)}\n`);
  return others;
}

/** As in the titles of its tests: the text itself, the first of a row, or the `label` or `name` of an object. */
function nameOf(leg: unknown): string {
  if (Array.isArray(leg)) return nameOf(leg[0]);
  const { label, name } = Object(leg) as { label?: string; name?: string };
  return label ?? name ?? String(leg);
}
