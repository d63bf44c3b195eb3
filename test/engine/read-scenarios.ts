import { program, type Scenario, thing } from "./scenario.ts";

const found = { label: "g", value: 1, text: "found" };
const got = (id: unknown, more = {}) => thing("g", {}, { id, ...more });

/** Resources that exist already and are only looked at. */
export const readScenarios: readonly Scenario[] = [
  {
    name: "get",
    title: "reads an existing resource in preview and up, refreshes it by its outputs, and lets it go without a delete",
    bindsErrors: true,
    runs: [
      {
        command: "preview",
        program: program(got("out-1"), thing("b", { value: { ref: "g.text" } })),
        host: { "thing-out-1": found },
      },
      { command: "up" },
      { command: "up" },
      { command: "refresh", host: { "thing-out-1": { ...found, text: "changed" } } },
      { command: "up" },
      { command: "up", refresh: true, host: { "thing-out-2": { ...found, text: "other" } } },
      { command: "up", program: program(got("out-2"), thing("b", { value: { ref: "g.text" } })) },
      { command: "up", program: program(thing("b", { value: 1 })) },
      { command: "up", program: program(got("out-1")) },
      { command: "destroy" },
    ],
  },
  {
    name: "get-missing",
    title: "takes a read that finds nothing, or fails, as the engine does",
    bindsErrors: true,
    runs: [
      {
        command: "preview",
        program: program(got("gone"), thing("b", { value: { ref: "g.text" } }, { dependsOn: ["g"] })),
      },
      { command: "up" },
      { command: "refresh" },
      { command: "up", program: program(thing("g", { failsAtRead: "no route" }, { id: "gone" })) },
    ],
  },
  {
    name: "get-unknown",
    title: "does not read by an id that is not known yet",
    runs: [
      {
        command: "preview",
        program: program(thing("a"), got({ ref: "a.id" }), thing("b", { value: { ref: "g.label" } })),
      },
      { command: "up" },
      { command: "preview" },
    ],
  },
  {
    name: "get-and-manage",
    title: "hands a resource over between reading and managing",
    runs: [
      { command: "up", program: program(thing("g", { value: 1 })) },
      { command: "up", program: program(got("g-1")) },
      { command: "up", program: program(thing("g", { value: 1 })) },
      { command: "up", program: program(got("out-1")), host: { "thing-out-1": found } },
      { command: "destroy" },
    ],
  },
];
