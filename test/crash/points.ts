import type { RecordedCall } from "../sim/contract.ts";
import { spread } from "./chosen.ts";

/** One of the three things that a person does. */
export type Command = "up" | "update" | "destroy";

/** Who dies where. `n` counts from 1: XAPI calls of the run, or commands that the host program starts in it. */
export type Point =
  | { readonly at: "xapi"; readonly n: number; readonly who: "provider"; readonly when: "before" | "in" | "after" }
  | { readonly at: "xapi"; readonly n: number; readonly who: "engine"; readonly when: "in" }
  | { readonly at: "dom0"; readonly n: number; readonly who: "provider" | "engine"; readonly when: "in" }
  | { readonly at: "dom0"; readonly n: number; readonly who: "host program"; readonly when: "before" | "after" }
  | { readonly at: "dom0"; readonly n: number; readonly who: "power"; readonly when: "in" };

/** What an undisturbed run does. */
export interface Undisturbed {
  readonly calls: ReadonlyArray<Pick<RecordedCall, "method" | "writing">>;
  readonly steps: readonly string[];
}

/** Every point of a run. A call that only reads has one point, as nothing tells its moments apart. */
export function pointsOf({ calls, steps }: Undisturbed): Point[] {
  const points: Point[] = [];
  for (const [index, { writing }] of calls.entries()) {
    const xapi = { at: "xapi", n: index + 1 } as const;
    points.push({ ...xapi, who: "provider", when: "in" });
    if (!writing) continue;
    points.push({ ...xapi, who: "provider", when: "before" }, { ...xapi, who: "provider", when: "after" });
    points.push({ ...xapi, who: "engine", when: "in" });
  }
  for (const index of steps.keys()) {
    const dom0 = { at: "dom0", n: index + 1 } as const;
    points.push({ ...dom0, who: "provider", when: "in" }, { ...dom0, who: "engine", when: "in" });
    points.push({ ...dom0, who: "host program", when: "before" }, { ...dom0, who: "host program", when: "after" });
    points.push({ ...dom0, who: "power", when: "in" });
  }
  return points;
}

/** Points that are of one kind take turns in a sample. */
export const kindOf = ({ at, who, when }: Point): string =>
  `${who} killed ${when} ${at === "xapi" ? "XAPI calls" : "dom0 steps"}`;

/** `provider killed in XAPI call 7, VIF.create`. */
export function describePoint(point: Point, { calls, steps }: Undisturbed): string {
  const { at, who, when, n } = point;
  const what = at === "xapi" ? `XAPI call ${n}, ${calls[n - 1]?.method}` : `dom0 step ${n}, ${steps[n - 1]}`;
  return `${who} killed ${when} ${what}`;
}

/** So many points of each kind, spread over the run. */
export function sampleOf(points: readonly Point[], perKind: number, seed: number): Point[] {
  const kinds = new Map<string, Point[]>();
  for (const point of points) kinds.set(kindOf(point), [...(kinds.get(kindOf(point)) ?? []), point]);
  return [...kinds.values()].flatMap((ofKind, at) => spread(ofKind, perKind, seed + at));
}
