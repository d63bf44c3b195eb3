import { expect, test } from "vitest";
import { type Host, startHost } from "../lab/host.ts";
import { byClass, ofThisPart, only, perKind, seed, sideBySide, timeout } from "./chosen.ts";
import { representatives } from "./classes.ts";
import type { Scenario } from "./life/scenarios.ts";
import { prepareTrials, type Reference, type Stray, type TrialHost, trial, undisturbed } from "./life/trial.ts";
import { type Command, commands, describePoint, kindOf, type Point, pointsOf, sampleOf } from "./points.ts";

type PerCommand<T> = Record<Command, T>;

/** How often a point that does not come is tried. */
const MOST_TRIES = 3;

/** Kills whoever takes part in the commands on a scenario, at points of their runs, and runs the same command again. */
export function crashSuite(scenario: Scenario): void {
  test(`${scenario.name}: whatever dies where, the command run again at once ends as an undisturbed one`, {
    timeout,
  }, async () => {
    const since = Date.now();
    await using first = await newHost(scenario);
    const reference = await undisturbed(first.on, scenario, byClass);
    const all = perCommand((command) => chosenPoints(scenario, command, reference));
    const tried = perCommand((command) => chosenOf(all[command], command, reference));
    if (byClass)
      console.log(
        `${scenario.name}: ${commands.map((command) => `${command} ${tried[command].length} classes of ${all[command].length} points`).join(", ")}`,
      );
    const waiting = perCommand((command) => [...tried[command]]);
    const failures: string[] = [];
    const strays = new Strays();
    await Promise.all(
      Array.from({ length: sideBySide }, () => tryAll(scenario, reference, waiting, { failures, strays })),
    );
    const counts = commands.map((command) => {
      const failed = failures.filter((failure) => failure.startsWith(`${command}:`)).length;
      const of = byClass ? "classes, which stand for" : "of";
      return `${command}: ${tried[command].length} ${of} ${all[command].length} points, ${failed} failed`;
    });
    const minutes = ((Date.now() - since) / 60_000).toFixed(1);
    console.log(
      `${scenario.name}, seed ${seed}: ${counts.join("; ")}; ${strays.elsewhere.length} met at another call or step, ${strays.never.length} never came; ${minutes} min`,
    );
    if (byClass)
      for (const { command, point, met } of [...strays.elsewhere, ...strays.never])
        console.log(`${command}: ${titleOf(point, reference[command])}: ${met ?? "never came"}`);
    expect(failures).toEqual([]);
  });
}

/** Takes points that wait until there are none, on a host of its own; a new one after each failure. */
async function tryAll(
  scenario: Scenario,
  reference: Reference,
  waiting: PerCommand<Point[]>,
  { failures, strays }: { readonly failures: string[]; readonly strays: Strays },
): Promise<void> {
  let current = await newHost(scenario);
  try {
    while (commands.some((command) => waiting[command].length > 0)) {
      const points = perCommand((command) => waiting[command].shift());
      const given = Object.fromEntries(Object.entries(points).filter(([, point]) => point !== undefined));
      const failure = await trial(current.on, scenario, given, reference);
      for (const { command, point } of strays.sort(current.on.strays.splice(0))) waiting[command].push(point);
      const left = commands.map((command) => `${command} ${waiting[command].length}`).join(", ");
      if (byClass && waiting.up.length % 20 === 0) console.log(`${scenario.name}: left ${left}`);
      if (failure === undefined) continue;
      const { command, problems } = failure;
      failures.push(
        `${command}: ${titleOf(points[command], reference[command])}\n  ${problems.slice(0, 8).join("\n  ")}`,
      );
      console.log(failures.at(-1));
      // Those behind it have not had their turn.
      for (const later of commands.slice(commands.indexOf(command) + 1)) {
        const point = points[later];
        if (point !== undefined) waiting[later].push(point);
      }
      await current.host.close();
      current = await newHost(scenario);
    }
  } finally {
    await current.host.close();
  }
}

/** A run is never the same twice to the last call: a point that did not come gets other chances. */
class Strays {
  readonly elsewhere: Stray[] = [];
  readonly never: Stray[] = [];
  readonly #chances = new Map<Point, number>();

  /** Answers those that are to be tried again. */
  sort(found: readonly Stray[]): Stray[] {
    return found.filter((stray) => {
      const { point, met } = stray;
      const left = this.#chances.get(point) ?? MOST_TRIES - 1;
      this.#chances.set(point, left - 1);
      if (met === undefined && left > 0) return true;
      (met === undefined ? this.never : this.elsewhere).push(stray);
      return false;
    });
  }
}

const titleOf = (point: Point | undefined, run: Reference[Command]) =>
  point === undefined ? "undisturbed" : describePoint(point, run);

function chosenOf(points: readonly Point[], command: Command, reference: Reference): Point[] {
  return byClass ? ofThisPart(representatives(points, reference[command])) : sampleOf(points, perKind, seed);
}

function chosenPoints(scenario: Scenario, command: Command, reference: Reference): Point[] {
  const isWanted = (point: Point) =>
    only.test(`${command}: ${kindOf(point)}`) && (point.who !== "power" || scenario.survivesPowerCuts);
  return pointsOf(reference[command]).filter(isWanted);
}

async function newHost(scenario: Scenario): Promise<{ host: Host; on: TrialHost } & AsyncDisposable> {
  const host = await startHost();
  return { host, on: await prepareTrials(host, scenario), [Symbol.asyncDispose]: () => host.close() };
}

function perCommand<T>(of: (command: Command) => T): PerCommand<T> {
  return { up: of("up"), update: of("update"), destroy: of("destroy") };
}
