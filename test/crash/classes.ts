import type { HostLook } from "./host-look.ts";
import { grouped, type Point, type Undisturbed } from "./points.ts";

/** One point for each class of those that leave the same behind, the middle one: what follows cannot tell them apart. */
export function representatives(points: readonly Point[], run: Undisturbed): Point[] {
  const classOf = classify(run);
  return [...grouped(points, classOf).values()].map((members) => members[members.length >> 1] as Point);
}

/** Names the class of a point; docs/decisions/023-crash-points.md says why nothing else tells two points apart. */
function classify(run: Undisturbed): (point: Point) => string {
  const execs = execsOf(run);
  return (point) => {
    const { at, n, who, when } = point;
    if (at === "xapi") {
      const call = run.calls[n - 1];
      return call?.writing === true ? `${who} ${when} ${n}` : `${who} in reading call at ${call?.moment}`;
    }
    const step = run.steps[n - 1];
    const whole = (look: HostLook | undefined) => (look === undefined ? `step ${n}` : Object.values(look).join(" "));
    switch (who) {
      case "host program":
        return `${who} in ${commandOf(step?.label)} at ${whole(step?.[when])}`;
      case "power":
        return `${who} at ${step?.before?.disk ?? `step ${n}`}`;
      default:
        return `${who} in ${execs[n - 1]}`;
    }
  };
}

const commandOf = (label = "") => label.replace(/ .*/, "");

/**
 * For each step the run of the host program that it is of, and how far that has got, for whoever called it: before it has the lock each step
 * counts, as a caller's end may end it; from then on it ends by itself, whatever becomes of the caller. What only reads is one.
 */
function execsOf({ steps }: Undisturbed): string[] {
  const found: string[] = [];
  let exec = 0;
  let sinceLock = -1;
  for (const [index, { label }] of steps.entries()) {
    const command = commandOf(label);
    if (index > 0 && command !== commandOf(steps[index - 1]?.label)) {
      exec += 1;
      sinceLock = -1;
    }
    const name = `run ${exec}, ${command}`;
    const isLast = command !== commandOf(steps[index + 1]?.label);
    if (command === "snapshot") found.push(name);
    else if (sinceLock < 0) found.push(`${name}, step ${index}`);
    else found.push(isLast ? `${name}, last step` : `${name}, ${sinceLock === 0 ? "first step" : "later"}`);
    if (sinceLock >= 0 || label.endsWith(" flock")) sinceLock += 1;
  }
  return found;
}
