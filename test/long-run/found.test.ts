import { afterAll, beforeAll, test } from "vitest";
import type { Action, DisturbedAction, FaultKind, RunAction } from "./actions.ts";
import { CONFIGURATIONS } from "./configurations.ts";
import { Machine } from "./machine.ts";
import { play } from "./sequence.ts";
import { newStatistics } from "./statistics.ts";

const [one, two] = ["Fedora server 1", "Fedora server 2"] as const;
const everything = (stack: "one" | "two"): RunAction => ({
  ...{ do: "up", stack, refresh: true },
  edits: [{ edit: "everything", pick: 0, value: 0 }],
});
const gone = (stack: "one" | "two"): RunAction => ({ do: "destroy", stack, refresh: false });
const started: Action[] = [
  { do: "vm", what: "start", vm: one },
  { do: "vm", what: "start", vm: two },
];
const disturbed = (run: RunAction, fault: FaultKind, call: number): DisturbedAction => ({
  ...{ do: "disturbed", run, by: { fault, call, ms: 150 }, again: true },
});

/** Shortest sequences that once went wrong; each is judged after every action, and ends in the same host. */
const found: ReadonlyArray<readonly [what: string, actions: readonly Action[]]> = [
  [
    "three networks go while their VMs run, and bridges vanish inside transactions",
    [everything("one"), ...started, gone("one")],
  ],
  [
    "two stacks with three networks each go at the same moment",
    [
      { do: "together", runs: [everything("one"), everything("two")] },
      ...started,
      { do: "together", runs: [gone("one"), gone("two")] },
    ],
  ],
  [
    "one VM restarts and the other one, last on its network, halts",
    [
      everything("one"),
      ...started,
      { do: "vm", what: "reboot", vm: two },
      { do: "vm", what: "stop", vm: one },
      { do: "refresh", stack: "one" },
      { do: "up", stack: "one", edits: [], refresh: true },
    ],
  ],
  [
    "an internal bridge is set down by hand",
    [everything("one"), ...started, { do: "console", what: "link down", pick: 0 }, everything("one")],
  ],
  [
    "a provider dies in a destroy, and the destroy comes again at once",
    [
      everything("one"),
      disturbed(gone("one"), "provider dies", 4),
      everything("one"),
      disturbed(gone("one"), "engine dies", 7),
    ],
  ],
  [
    "SSH is cut in a destroy, and the destroy comes again at once",
    [everything("one"), disturbed(gone("one"), "ssh cut", 3)],
  ],
  [
    "an administrator takes the owner off a network that a forwarding is on",
    [everything("one"), ...started, { do: "xe", what: "marks removed", stack: "one", pick: 24 }, everything("one")],
  ],
  [
    "an administrator takes the owner off a network with a bridge of its own",
    [
      everything("one"),
      { do: "up", stack: "one", edits: [{ edit: "network", pick: 41, value: 87 }], refresh: false },
      { do: "xe", what: "marks removed", stack: "one", pick: 56 },
    ],
  ],
  [
    "a VIF is renamed and replaced in one up",
    [
      everything("two"),
      {
        ...{ do: "up", stack: "two", refresh: false },
        edits: [
          { edit: "rename vif", pick: 2, value: 115 },
          { edit: "change vif", pick: 38, value: 111 },
        ],
      },
    ],
  ],
  [
    "a power cut takes the answer of a create, and a destroy comes before the next up",
    [
      { ...disturbed(everything("two"), "power cut", 2), by: { fault: "power cut", call: 2, ms: 69 }, again: false },
      gone("two"),
      everything("two"),
    ],
  ],
];

let machine: Machine | undefined;

beforeAll(async () => {
  machine = await Machine.start(CONFIGURATIONS["xcp-ng-8.3 nft"] ?? {});
});
afterAll(() => machine?.[Symbol.asyncDispose]());

test.each(found)("%s", async (_what, actions) => {
  await play(actions, machine as Machine, newStatistics());
});
