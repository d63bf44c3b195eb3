import { optionScenarios } from "./option-scenarios.ts";
import { readScenarios } from "./read-scenarios.ts";
import { deleteFirst, program, type Scenario, type ScenarioRun, thing } from "./scenario.ts";
import { targetScenarios } from "./target-scenarios.ts";

/** Each has a recording of the real engine under `golden/`. */
export const scenarios: readonly Scenario[] = [
  ...optionScenarios,
  ...readScenarios,
  ...targetScenarios,
  {
    name: "create-update-delete",
    title: "creates, leaves alone, updates, deletes and destroys as the engine does",
    runs: [
      {
        command: "preview",
        program: {
          resources: [thing("a", { value: 1 }), thing("b", { value: { ref: "a.id" } })],
          outputs: { id: { ref: "a.id" } },
        },
      },
      { command: "up" },
      { command: "up" },
      {
        command: "up",
        program: program(thing("a", { value: 2, text: "one\ntwo\n" }), thing("b", { value: { ref: "a.id" } })),
      },
      { command: "up", program: program(thing("a", { value: 2, text: "one\ntwo\n" })) },
      { command: "destroy" },
    ],
  },
  {
    name: "unknown-outputs",
    title: "takes outputs of a resource to be updated as unknown in preview, and as what they are in up",
    runs: [
      {
        command: "up",
        program: program(
          thing("a", { value: 1 }),
          thing("b", { value: { ref: "a.token" } }),
          thing("c", { value: { ref: "a.id" } }, { dependsOn: ["b"] }),
        ),
      },
      {
        command: "preview",
        program: program(
          thing("a", { value: 2 }),
          thing("b", { value: { ref: "a.token" } }),
          thing("c", { value: { ref: "a.id" } }, { dependsOn: ["b"] }),
        ),
      },
      { command: "up" },
    ],
  },
  {
    name: "replace-with-dependents",
    title: "replaces delete first, with the dependents whose diff asks for it",
    runs: ["x", "y"].flatMap((place): ScenarioRun[] => {
      const resources = [
        thing("a", { place }, deleteFirst),
        thing("b", { upstream: { ref: "a.id" } }, deleteFirst),
        thing("c", { value: { ref: "b.id" } }, deleteFirst),
        thing("d", { upstream: { ref: "b.id" } }, { ...deleteFirst, dependsOn: ["c"] }),
      ];
      return place === "x"
        ? [{ command: "up", program: { resources } }]
        : [{ command: "preview", program: { resources } }, { command: "up" }];
    }),
  },
  {
    name: "replace-create-first",
    title: "replaces create first where delete first is refused, and deletes the old one at the end",
    runs: ["x", "y"].map((place) => ({
      command: "up",
      program: program(
        thing("a", { place }, { options: { deleteBeforeReplace: false } }),
        thing("b", { value: { ref: "a.id" } }),
      ),
    })),
  },
  {
    name: "replace-on-demand",
    title: "replaces what --replace names, with check on no old inputs and no diff",
    runs: [
      {
        command: "up",
        program: program(thing("a", { value: 1 }, deleteFirst), thing("b", { value: { ref: "a.id" } })),
      },
      { command: "preview", replace: ["a"] },
      { command: "up", replace: ["a"] },
    ],
  },
  {
    name: "replace-half-done",
    title: "makes the replacement in the next up when its creation failed",
    runs: [
      {
        command: "up",
        program: program(
          thing("a", { place: "x" }, deleteFirst),
          thing("b", { upstream: { ref: "a.id" } }, deleteFirst),
        ),
      },
      {
        command: "up",
        program: program(
          thing("a", { place: "y", failsAtCreate: "no room" }, deleteFirst),
          thing("b", { upstream: { ref: "a.id" } }, deleteFirst),
        ),
      },
      {
        command: "preview",
        program: program(
          thing("a", { place: "y" }, deleteFirst),
          thing("b", { upstream: { ref: "a.id" } }, deleteFirst),
        ),
      },
      { command: "up" },
    ],
  },
  {
    name: "rename",
    title: "creates and deletes at a rename without alias, and keeps the resource at one with alias",
    runs: [
      {
        command: "up",
        program: program(
          thing("a", { value: 1 }),
          { name: "group", component: true, dependsOn: ["a"] },
          thing("group-x", { value: 2 }, { parent: "group" }),
        ),
      },
      {
        command: "up",
        program: program(
          thing("b", { value: 1 }),
          { name: "team", component: true, dependsOn: ["b"], options: { aliases: [{ name: "group" }] } },
          thing("team-x", { value: 3 }, { parent: "team" }),
        ),
      },
      {
        command: "up",
        program: program(
          thing("c", { label: "b", value: 1 }, { options: { aliases: [{ name: "b" }] } }),
          { name: "team", component: true, dependsOn: ["c"] },
          thing("team-x", { value: 3 }, { parent: "team" }),
        ),
      },
    ],
  },
  {
    name: "failed-create",
    title: "keeps a resource whose creation failed with an id and updates it next time, and stops after the failure",
    runs: [
      {
        command: "up",
        program: program(thing("a", { value: 1, breaksAtCreate: true }), thing("b", { value: { ref: "a.id" } })),
      },
      {
        command: "preview",
        program: program(
          thing("a", { value: 1, breaksAtCreate: true }),
          thing("b", { value: 2 }, { dependsOn: ["a"] }),
        ),
      },
      { command: "up" },
      {
        command: "up",
        program: program(
          thing("a", { value: 1, failsAtUpdate: "no", text: "new" }),
          thing("b", { value: 2 }, { dependsOn: ["a"] }),
          thing("c", { failsAtCreate: "no" }, { dependsOn: ["a"] }),
        ),
      },
      {
        command: "up",
        program: program(
          thing("a", { value: 1 }),
          thing("b", { value: 2 }, { dependsOn: ["a"] }),
          thing("c", {}, { dependsOn: ["b"] }),
        ),
      },
    ],
  },
  {
    name: "failed-check",
    title: "ends preview and up at the first failed check, and at a program that fails",
    runs: [
      {
        command: "preview",
        program: program(
          thing("a"),
          thing("b", { invalid: "not like this" }, { dependsOn: ["a"] }),
          thing("c", {}, { dependsOn: ["b"] }),
        ),
      },
      { command: "up" },
      { command: "up", program: { resources: [thing("a")], failWith: "the program is wrong" } },
    ],
  },
  {
    name: "failed-delete",
    title: "keeps a resource whose deletion failed, and what it depends on",
    runs: [
      { command: "up", program: program(thing("a"), thing("b", { value: { ref: "a.id" } })), host: { "keep-b": "" } },
      { command: "destroy" },
      { command: "destroy", host: { "keep-b": null } },
    ],
  },
  {
    name: "secrets",
    title: "passes secrets in plain to the provider and marks them again by name",
    runs: [
      {
        command: "up",
        program: {
          resources: [
            thing(
              "a",
              { password: { secret: "hush" }, nested: { inner: { secret: "hush" }, open: 1 } },
              { options: { additionalSecretOutputs: ["token", "absent"] } },
            ),
            thing("b", { value: { ref: "a.token" } }),
          ],
          outputs: { password: { ref: "a.password" } },
        },
      },
      { command: "up" },
    ],
  },
  {
    name: "secrets-later",
    title: "marks what becomes secret without another change, outputs only where the whole input is secret",
    runs: [
      { command: "up", program: program(thing("a", { password: "hush", nested: { inner: "hush" }, list: ["hush"] })) },
      {
        command: "up",
        program: program(
          thing("a", {
            ...{ password: { secret: "hush" }, nested: { inner: { secret: "hush" } }, list: [{ secret: "hush" }] },
          }),
        ),
      },
      { command: "up", program: program(thing("a", { password: "hush", nested: { inner: "hush" }, list: ["hush"] })) },
    ],
  },
  {
    name: "refresh",
    title: "reports outside changes in refresh, drops what is gone, and repairs both in the next up",
    runs: [
      {
        command: "up",
        program: program(
          thing("a", { value: 1 }),
          thing("b", { value: { ref: "a.id" } }),
          thing("c", { value: { ref: "b.id" } }),
        ),
      },
      { command: "preview", host: { "thing-a-1": { label: "a", value: 9, derived: "made of 9" }, "thing-b-2": null } },
      { command: "refresh" },
      { command: "up" },
      { command: "preview", refresh: true, host: { "thing-a-1": null } },
      { command: "up", refresh: true },
    ],
  },
  {
    name: "silent-diff",
    title: "compares inputs where diff does not say whether anything changes",
    runs: [1, 1, 2].map((value) => ({ command: "up", program: program(thing("a", { value, silentDiff: true })) })),
  },
  {
    name: "stored-config",
    title: "reads and destroys with the config of the last up, and takes the new one from the program on",
    runs: [
      { command: "up", program: program(thing("a", { value: 1 })), config: { who: "first" } },
      { command: "refresh", config: { who: "second" } },
      { command: "up", refresh: true, program: program(thing("a", { value: 2 })) },
      { command: "refresh" },
      { command: "destroy", config: { who: "third" } },
    ],
  },
];
