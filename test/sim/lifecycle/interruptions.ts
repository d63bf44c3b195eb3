import { expect } from "vitest";
import { startPool } from "../handlers/pool-under-test.ts";
import type { ProfileName } from "../simulator.ts";
import type { LifecycleCase } from "./case.ts";
import { OneResourceStack } from "./one-resource-stack.ts";
import { masked, poolRecords } from "./pool-records.ts";

type Command = (stack: OneResourceStack) => Promise<unknown>;

/** One command of a user's, and the commands that came before it. */
export interface Scenario {
  before(stack: OneResourceStack): Promise<{ readonly command: Command }>;
}

/** Where the connection breaks: after the call took effect, or before it was looked at. */
export const mishaps = ["loseReply", "dropConnection"] as const;
type Mishap = (typeof mishaps)[number];

/**
 * Runs a command once undisturbed; then again from the same beginning, cut at each of its writing calls. Each time the same
 * command in a new process has to end with the same pool. Answers how many writing calls the command makes.
 */
export async function expectToSurviveInterruptions(
  profile: ProfileName,
  lifecycle: LifecycleCase,
  mishap: Mishap,
  scenario: Scenario,
): Promise<number> {
  await using pool = await startPool({ profile });
  const stack = new OneResourceStack(pool, lifecycle.handler);
  const { command } = await scenario.before(stack);
  const { state } = stack;
  const putBack = await pool.save();
  const run = async (cut?: Cut) => {
    stack.state = state;
    await putBack();
    return runCut(stack, command, cut);
  };
  const whole = await run();
  for (const [at, method] of whole.calls.entries()) {
    const after = whole.calls.slice(0, at).filter((earlier) => earlier === method).length;
    const cut = { mishap, method, after };
    const told = await run(cut);
    expect(differences(whole.records, told.records), JSON.stringify(cut)).toEqual([]);
    if (!told.keptState) continue;
    const killed = await run({ ...cut, isKilled: true });
    expect(differences(whole.records, killed.records), JSON.stringify(cut)).toEqual([]);
  }
  return whole.calls.length;
}

interface Cut {
  readonly mishap: Mishap;
  readonly method: string;
  /** So many calls of the method go well before. */
  readonly after: number;
  /** The engine could not write what the error told it: the state is what it was before. */
  readonly isKilled?: true;
}

async function runCut(stack: OneResourceStack, command: Command, cut?: Cut) {
  const { pool } = stack;
  const first = pool.writingCalls();
  const before = stack.state;
  let keptState = false;
  if (cut !== undefined) {
    pool.simulator.faults[cut.mishap](cut.method, 1, cut.after);
    await expect(command(stack), JSON.stringify(cut)).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
    pool.simulator.faults.clear();
    keptState = stack.state !== before;
    if (cut.isKilled) stack.state = before;
  }
  await command(stack);
  return { calls: pool.writtenSince(first), records: masked(await poolRecords(pool)), keptState };
}

function differences(wanted: string, found: string): string[] {
  const [wantedLines, foundLines] = [wanted.split("\n"), found.split("\n")];
  return [
    ...wantedLines.filter((line) => !foundLines.includes(line)).map((line) => `missing: ${line}`),
    ...foundLines.filter((line) => !wantedLines.includes(line)).map((line) => `too many: ${line}`),
  ];
}
