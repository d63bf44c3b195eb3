import { expect, test } from "vitest";
import { CONFIGURATIONS } from "./configurations.ts";
import { longRun } from "./long-run.ts";
import { Machine } from "./machine.ts";
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
  await expect(play([actions, []], broken, newStatistics())).rejects.toThrow("there, but not recorded: PortForward::");
  await using sound = await Machine.start({ ...CONFIGURATIONS[configuration] });
  await play([actions, []], sound, newStatistics());
}, 300_000);
