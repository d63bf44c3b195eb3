import { setTimeout as wait } from "node:timers/promises";
import type { Point, Undisturbed } from "../points.ts";
import type { ProviderLife } from "./provider-life.ts";
import type { TrialHost } from "./trial.ts";

/** How long a XAPI call that a dead process began goes on beside the next command: what moves bridges and ports takes its time. */
const stillMs = (method: string) => (/plug|move/.test(method) ? 200 : 0);

/**
 * Runs a command in which somebody dies. Resolves when the process is dead, or when its command has ended. Answers the call or step at which
 * that was, as a reference names it; undefined when the point never came.
 */
export async function runDyingAt(
  on: TrialHost,
  point: Point,
  reference: Undisturbed,
  life: ProviderLife,
  command: () => Promise<void>,
): Promise<string | undefined> {
  const address = point.at === "dom0" ? reference.steps[point.n - 1]?.address : undefined;
  let hasEnded = false;
  let met: string | undefined;
  const { host, steps } = on;
  if (point.at === "xapi") {
    let count = 0;
    let mine: object | undefined;
    host.simulator.faults.intercept(async (call, when) => {
      if (when === "before") count += 1;
      if (when === "before" && count === point.n && mine === undefined) mine = call;
      if (call !== mine || (when === "after") !== (point.when === "after")) return "go";
      met = call.method;
      if (point.who === "engine") life.loseEngine();
      else life.kill();
      if (point.when === "in") await wait(stillMs(call.method));
      return point.when === "before" ? "cut" : "go";
    });
  } else {
    const fault = point.who === "host program" ? (`kill ${point.when}` as const) : "hold";
    steps.arm(address, fault);
  }
  const running = command()
    .catch(() => {})
    .finally(() => {
      hasEnded = true;
    });
  if (point.at === "xapi") {
    await Promise.race([running, life.over]);
    return met;
  }
  if (!(await steps.met(() => hasEnded))) return undefined;
  const label = steps.seen().find((step) => step.address === address)?.label;
  if (point.who === "power") {
    life.kill();
    await host.powerCut();
    await steps.install();
  } else if (point.who === "provider") life.kill();
  else if (point.who === "engine") life.loseEngine();
  // The host program that was killed has left a provider that goes on.
  else await running;
  steps.go();
  return label;
}
