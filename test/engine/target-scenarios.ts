import { deleteFirst, program, type Scenario, thing } from "./scenario.ts";

const chain = (value: number, more = {}) => [
  thing("first", { value }),
  thing("a", { value }, { dependsOn: ["first"] }),
  thing("b", { value: { ref: "a.label" }, text: `b${value}` }),
  thing("c", { value, ...more }, { dependsOn: ["b"] }),
];

/** Operations that are confined to some of the stack's resources. */
export const targetScenarios: readonly Scenario[] = [
  {
    name: "target-up",
    title: "changes only what is targeted, and creates nothing else",
    bindsErrors: true,
    runs: [
      { command: "preview", program: program(...chain(1)), targets: ["a"] },
      { command: "up", targets: ["a"] },
      { command: "up" },
      { command: "preview", program: program(...chain(2)), targets: ["b"] },
      { command: "up", targets: ["b"] },
      { command: "up", program: program(...chain(3), thing("d", { value: { ref: "c.id" } })), targets: ["a", "d"] },
      {
        command: "up",
        program: program(
          ...chain(4),
          thing("e", { value: 1 }, { dependsOn: ["c"] }),
          thing("f", { value: { ref: "e.id" } }),
        ),
        targets: ["a"],
      },
      { command: "preview", targets: ["f"] },
      { command: "up", targets: ["f"] },
      { command: "up", targets: ["a", "nowhere"] },
    ],
  },
  {
    name: "target-dependents",
    title: "takes in what depends on the targets when it is asked to",
    runs: [
      { command: "up", program: program(...chain(1)) },
      {
        command: "preview",
        program: program(...chain(2)),
        targets: ["b"],
        targetDependents: true,
      },
      { command: "up", targets: ["b"], targetDependents: true },
      { command: "refresh", targets: ["b"], targetDependents: true },
      { command: "destroy", targets: ["b"], targetDependents: true },
    ],
  },
  {
    name: "target-removed",
    title: "deletes only targets that the program no longer has, and keeps what untargeted resources depend on",
    bindsErrors: true,
    runs: [
      {
        command: "up",
        program: program(...chain(1), thing("d", { value: 1 }, { dependsOn: ["c"] }), {
          name: "group",
          component: true,
          dependsOn: ["d"],
        }),
      },
      { command: "up", program: program(thing("b", { value: "a", text: "b2" })), targets: ["b"] },
      { command: "up", program: program(thing("c", { value: 3 })), targets: ["d"] },
      { command: "preview", targets: ["a"] },
      { command: "up", targets: ["a"] },
      {
        command: "up",
        program: program(thing("x", { label: "c", value: 4 }, { options: { aliases: [{ name: "c" }] } })),
        targets: ["d", "group"],
      },
    ],
  },
  {
    name: "target-destroy",
    title: "destroys only targets, and refuses when something else depends on them",
    bindsErrors: true,
    runs: [
      {
        command: "up",
        program: program(
          ...chain(1),
          thing("d", { upstream: { ref: "a.id" } }, { ...deleteFirst, dependsOn: ["c"] }),
          { name: "group", component: true, dependsOn: ["d"] },
          thing("child", {}, { parent: "group" }),
        ),
      },
      { command: "destroy", targets: ["a"] },
      { command: "destroy", targets: ["d", "nowhere"] },
      { command: "destroy", targets: ["group"] },
      { command: "destroy", targets: ["a"], targetDependents: true },
      { command: "destroy" },
    ],
  },
  {
    name: "target-refresh",
    title: "reads only targets, in a refresh of its own and before another command",
    runs: [
      { command: "up", program: program(...chain(1)) },
      {
        command: "refresh",
        targets: ["a"],
        host: { "thing-a-2": { label: "a", value: 9 }, "thing-b-3": { label: "b", value: "a", text: "x" } },
      },
      { command: "up", refresh: true, targets: ["b"] },
      { command: "refresh", targets: ["c"], host: { "thing-c-4": null } },
      { command: "destroy", refresh: true, targets: ["b"], targetDependents: true },
      { command: "refresh", targets: ["nowhere"] },
    ],
  },
  {
    name: "target-replace",
    title: "replaces targets, with the dependents that must go with them",
    bindsErrors: true,
    runs: [
      {
        command: "up",
        program: program(
          thing("a", { place: "x" }, deleteFirst),
          thing("b", { upstream: { ref: "a.id" } }, deleteFirst),
          thing("c", { value: { ref: "b.id" } }),
        ),
      },
      {
        command: "preview",
        program: program(
          thing("a", { place: "y" }, deleteFirst),
          thing("b", { upstream: { ref: "a.id" } }, deleteFirst),
          thing("c", { value: { ref: "b.id" } }),
        ),
        targets: ["a"],
      },
      { command: "up", targets: ["a"] },
      { command: "up", replace: ["c"], targets: ["b"] },
      { command: "up", replace: ["c"], targets: ["c"] },
    ],
  },
];
