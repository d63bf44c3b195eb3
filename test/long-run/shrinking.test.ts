import { describe, expect, test } from "vitest";
import { type Action, isEvent, type RunAction } from "./actions.ts";
import { CONFIGURATIONS } from "./configurations.ts";
import { longRun } from "./long-run.ts";
import { Machine } from "./machine.ts";
import { declare, isPossible, type Model, newModel } from "./model.ts";
import { search } from "./search.ts";
import { play } from "./sequence.ts";
import { HANDLERS, type Handlers } from "./stacks/provider-process.ts";
import { newStatistics } from "./statistics.ts";

const configuration = "xcp-ng-8.3 nft";

/** A provider with a defect: whoever takes a port forward away is told that it is gone, and it stays. */
const forgetful: Handlers = {
  ...HANDLERS,
  PortForward: { ...(HANDLERS["PortForward"] as (typeof HANDLERS)[string]), delete: async () => {} },
};

test("a defect is found, and its sequence becomes so short that somebody can read it, and play it again", async () => {
  const found = await longRun({
    ...{
      configuration,
      operations: 500,
      seed: 3,
      mostActions: 8,
      shrinkMs: 120_000,
      statistics: newStatistics(),
      print: () => {},
    },
    handlers: forgetful,
  });
  const { actions, message, text } = found.failure ?? { actions: [], message: "", text: "" };
  expect(message).toMatch(/there, but not recorded: PortForward::/);
  expect(text).toContain(`XENNET_SEED=3 XENNET_HOST_KIND='${configuration}'`);
  expect(actions.length).toBeLessThanOrEqual(3);

  await using broken = await Machine.start({ ...CONFIGURATIONS[configuration], handlers: forgetful });
  await expect(play(actions, broken, newStatistics())).rejects.toThrow("there, but not recorded: PortForward::");
  await using sound = await Machine.start({ ...CONFIGURATIONS[configuration] });
  await play(actions, sound, newStatistics());
}, 300_000);

describe("what is only a model", () => {
  /** What somebody might get wrong: somebody empties the rules while a VM runs and a forward was changed. */
  const goesWrong = ({ programs, running }: Model, action: Action): boolean =>
    action.do === "console" &&
    running["Fedora server 1"] &&
    [...programs.one.forwards, ...programs.two.forwards].some(
      ({ protocol, guest }) => protocol !== "tcp" || guest !== 11,
    );

  async function playModel(actions: readonly Action[], done: Action[]): Promise<void> {
    const model = newModel();
    for (const action of actions) {
      if (!isPossible(model, action)) continue;
      done.push(action);
      for (const run of runsOf(action)) declare(model, run);
      if (action.do === "vm" && action.what === "start") model.running[action.vm] = true;
      if (action.do === "vm" && action.what === "stop") model.running[action.vm] = false;
      if (goesWrong(model, action)) throw new Error("it went wrong");
    }
  }

  test.each(Array.from({ length: 20 }, (_, index) => index + 1))(
    "becomes as short as it can be: seed %i",
    async (first) => {
      let found: Awaited<ReturnType<typeof search>>;
      let tries = 0;
      for (let seed = 1000 * first; found === undefined; seed += 1) {
        found = await search(seed, { mostActions: 40, shrinkMs: 10_000 }, async (actions, done, isShrinking) => {
          if (isShrinking) tries += 1;
          return playModel(actions, done);
        });
      }
      expect(found.message).toBe("it went wrong");
      // A forward is made and changed, a VM starts, somebody types.
      expect(found.actions.length).toBeLessThanOrEqual(4);
      expect(tries).toBeLessThan(120);
      await expect(playModel(found.actions, [])).rejects.toThrow("it went wrong");
    },
  );
});

function runsOf(action: Action): readonly RunAction[] {
  if (action.do === "together") return action.runs;
  if (action.do === "disturbed") return [action.run];
  return isEvent(action) ? [] : [action];
}
