import type { RecordedCall } from "../sim/contract.ts";
import { spread } from "./chosen.ts";
import type { Step } from "./life/dom0-steps.ts";

/** The three things that a person does, in their order. */
export const commands = ["up", "update", "destroy"] as const;

export type Command = (typeof commands)[number];

/** Who dies where. `n` counts from 1: XAPI calls of the run, or commands that the host program starts in it. */
export type Point =
  | { readonly at: "xapi"; readonly n: number; readonly who: "provider"; readonly when: "before" | "in" | "after" }
  | { readonly at: "xapi"; readonly n: number; readonly who: "engine"; readonly when: "in" }
  | { readonly at: "dom0"; readonly n: number; readonly who: "provider" | "engine"; readonly when: "in" }
  | { readonly at: "dom0"; readonly n: number; readonly who: "host program"; readonly when: "before" | "after" }
  | { readonly at: "dom0"; readonly n: number; readonly who: "power"; readonly when: "in" };

/** A XAPI call of a run. `moment` is the same for two calls when nothing changed in between: no record, no host, no state of the engine. */
export interface Call extends Pick<RecordedCall, "method" | "writing"> {
  readonly moment: string;
}

/** What an undisturbed run does. */
export interface Undisturbed {
  readonly calls: readonly Call[];
  readonly steps: readonly Step[];
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
    points.push({ ...dom0, who: "host program", when: "before" });
    // What goes on by itself, as the guard, ends after the host program has.
    if (!steps[index]?.label.endsWith(" setsid")) points.push({ ...dom0, who: "host program", when: "after" });
    points.push({ ...dom0, who: "power", when: "in" });
  }
  return points;
}

/** Points that are of one kind take turns in a sample. */
export const kindOf = ({ at, who, when }: Point): string =>
  `${who} killed ${when} ${at === "xapi" ? "XAPI calls" : "dom0 steps"}`;

/** `provider killed in XAPI call 7, VIF.create`. */
export function describePoint(point: Point, run: Undisturbed): string {
  const { at, who, when, n } = point;
  return `${who} killed ${when} ${at === "xapi" ? "XAPI call" : "dom0 step"} ${n}, ${labelOf(point, run)}`;
}

/** The call's method, or the command of the host program and the tool that it starts. */
export const labelOf = ({ at, n }: Point, { calls, steps }: Undisturbed): string | undefined =>
  at === "xapi" ? calls[n - 1]?.method : steps[n - 1]?.label;

/** So many points of each kind, spread over the run. */
export function sampleOf(points: readonly Point[], perKind: number, seed: number): Point[] {
  return [...grouped(points, kindOf).values()].flatMap((ofKind, at) => spread(ofKind, perKind, seed + at));
}

/** Lists by key, in the order of the first of each. */
export function grouped<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}
