import { afterAll, expect, test } from "vitest";
import { type Host, startHost } from "../lab/host.ts";
import { only, perKind, seed, timeout } from "./chosen.ts";
import { type Command, describePoint, kindOf, type Point, pointsOf, sampleOf } from "./points.ts";
import type { Scenario } from "./scenarios.ts";
import { prepareTrials, type Reference, type TrialHost, trial, undisturbed } from "./trial.ts";

const commands: readonly Command[] = ["up", "update", "destroy"];

/** Kills whoever takes part in the commands on a scenario, at points of their runs, and runs the same command again. */
export function crashSuite(scenario: Scenario): void {
  let host: Host | undefined;
  afterAll(() => host?.close());
  const newTrials = async (): Promise<TrialHost> => {
    await host?.close();
    host = await startHost();
    return prepareTrials(host, scenario);
  };

  test(`${scenario.name}: whatever dies where, the command run again at once ends as an undisturbed one`, {
    timeout,
  }, async () => {
    let on = await newTrials();
    const reference = await undisturbed(on, scenario);
    const failures: string[] = [];
    const counts: string[] = [];
    for (const command of commands) {
      const tried = sampleOf(chosenPoints(scenario, command, reference), perKind, seed);
      const failedBefore = failures.length;
      for (const point of tried) {
        const problems = await trial(on, scenario, command, point, reference);
        if (problems.length === 0) continue;
        const title = `${command}: ${describePoint(point, reference[command])}`;
        console.log(`${title}:\n  ${problems.slice(0, 8).join("\n  ")}`);
        failures.push(title);
        on = await newTrials();
      }
      const all = chosenPoints(scenario, command, reference).length;
      counts.push(`${command}: ${tried.length} of ${all} points, ${failures.length - failedBefore} failed`);
    }
    console.log(`${scenario.name}, seed ${seed}: ${counts.join("; ")}`);
    expect(failures).toEqual([]);
  });
}

function chosenPoints(scenario: Scenario, command: Command, reference: Reference): Point[] {
  const isWanted = (point: Point) =>
    only.test(`${command}: ${kindOf(point)}`) && (point.who !== "power" || scenario.survivesPowerCuts);
  return pointsOf(reference[command]).filter(isWanted);
}
