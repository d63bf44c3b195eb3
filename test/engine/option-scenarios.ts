import { deleteFirst, program, type Scenario, type ScenarioRun, thing } from "./scenario.ts";

const protectedFirst = (isProtected: boolean, more = {}) => ({
  options: { deleteBeforeReplace: true, protect: isProtected, ...more },
});

const ignoring = (...ignoreChanges: string[]) => ({ options: { deleteBeforeReplace: true, ignoreChanges } });

/** Resource options, the stack's name, and the wording of a refused check. */
export const optionScenarios: readonly Scenario[] = [
  {
    name: "protect",
    title: "refuses to delete or replace what is protected, naming it, until the program lets it go",
    bindsErrors: true,
    runs: [
      {
        command: "up",
        program: program(
          thing("a", { place: "x" }, protectedFirst(true)),
          thing("b", { value: { ref: "a.id" } }, protectedFirst(true)),
          thing("c", {}, { dependsOn: ["b"] }),
        ),
      },
      { command: "preview", program: program() },
      { command: "up" },
      { command: "destroy" },
      {
        command: "preview",
        program: program(
          thing("a", { place: "y" }, protectedFirst(true)),
          thing("b", { value: { ref: "a.id" } }, protectedFirst(true)),
          thing("d", {}, { dependsOn: ["b"] }),
        ),
      },
      { command: "up" },
      {
        command: "up",
        program: program(
          thing("a", { place: "y" }, protectedFirst(false)),
          thing("b", { value: { ref: "a.id" } }, protectedFirst(true)),
        ),
      },
      {
        command: "up",
        program: program(thing("a", { place: "y" }, protectedFirst(false)), thing("b", {}, { dependsOn: ["a"] })),
      },
      { command: "destroy" },
    ],
  },
  {
    name: "protected-dependent",
    title: "refuses a replacement that would take a protected dependent with it",
    bindsErrors: true,
    runs: [
      {
        command: "up",
        program: program(
          thing("a", { place: "x" }, deleteFirst),
          thing("b", { upstream: { ref: "a.id" } }, protectedFirst(true)),
        ),
      },
      {
        command: "preview",
        program: program(
          thing("a", { place: "y" }, deleteFirst),
          thing("b", { upstream: { ref: "a.id" } }, protectedFirst(true)),
        ),
      },
      { command: "up" },
      // The state's word counts for dependents, not that of the program, which has not come to them yet.
      {
        command: "up",
        program: program(
          thing("a", { place: "y" }, deleteFirst),
          thing("b", { upstream: { ref: "a.id" } }, protectedFirst(false)),
        ),
      },
    ],
  },
  {
    name: "retain-on-delete",
    title: "forgets what is to be retained without calling the provider, children of its component too",
    runs: [
      {
        command: "up",
        program: program(
          thing("a", { place: "x" }, { options: { deleteBeforeReplace: true, retainOnDelete: true } }),
          thing("b", { value: { ref: "a.id" } }, { options: { retainOnDelete: true } }),
          { name: "group", component: true, options: { retainOnDelete: true, protect: true }, dependsOn: ["b"] },
          thing("child", {}, { parent: "group" }),
        ),
      },
      {
        command: "up",
        program: program(
          thing("a", { place: "y" }, { options: { deleteBeforeReplace: true, retainOnDelete: true } }),
          { name: "group", component: true, options: { retainOnDelete: true }, dependsOn: ["a"] },
          thing("child", {}, { parent: "group" }),
        ),
      },
      { command: "destroy" },
    ],
  },
  {
    name: "ignore-changes",
    title: "takes ignored properties from the state, whole ones and parts of them",
    runs: ["old", "new"].flatMap((text): ScenarioRun[] => {
      const value = { a: { b: text, c: text }, list: [text, text], ...(text === "new" ? { added: text } : {}) };
      const resources = [
        thing("text", { text, value: text }, ignoring("text")),
        thing("dotted", { value }, { ...ignoring("value.a.b", "value.added"), dependsOn: ["text"] }),
        thing("quoted", { value }, { ...ignoring('value["a"]["c"]', "value.list[0]"), dependsOn: ["dotted"] }),
        thing("starred", { value }, { ...ignoring("value.a.*", "value.list[*]"), dependsOn: ["quoted"] }),
        thing("all", { value, text, place: text }, { ...ignoring("*"), dependsOn: ["starred"] }),
        thing("place", { place: text, text }, { ...ignoring("place"), dependsOn: ["all"] }),
        thing("odd", { value: text === "old" ? 1 : { a: 2 }, text }, { ...ignoring("value.a"), dependsOn: ["place"] }),
        thing("replaced", { place: text, text }, { ...ignoring("text"), dependsOn: ["odd"] }),
        thing(
          "hidden",
          { value: { part: text === "old" ? { secret: text } : text } },
          {
            ...ignoring("value.part"),
            dependsOn: ["replaced"],
          },
        ),
      ];
      return text === "old"
        ? [{ command: "up", program: program(...resources) }]
        : [{ command: "preview", program: program(...resources) }, { command: "up" }, { command: "refresh" }];
    }),
  },
  {
    name: "ignored-unknown",
    title: "ignores an unknown value, and a changed property whose old value was there before a refresh",
    runs: [
      {
        command: "up",
        program: program(thing("a", { value: 1 }), thing("b", { text: { ref: "a.token" } }, ignoring("text"))),
      },
      {
        command: "preview",
        program: program(thing("a", { value: 2 }), thing("b", { text: { ref: "a.token" } }, ignoring("text"))),
      },
      { command: "refresh", host: { "thing-b-2": { label: "b", text: "changed outside" } } },
      { command: "up" },
    ],
  },
  {
    name: "rename-stack",
    title: "goes on with the same resources after the stack was renamed, and updates what names the stack",
    runs: [
      {
        command: "up",
        program: {
          resources: [
            thing("a", { value: { stackName: true } }),
            thing("b", { upstream: { ref: "a.id" } }, { options: { protect: true } }),
            { name: "group", component: true, dependsOn: ["b"] },
            thing("child", { password: { secret: "hush" } }, { parent: "group" }),
          ],
          outputs: { id: { ref: "a.id" } },
        },
        config: { who: "first" },
      },
      { command: "preview", renameStack: "prod" },
      { command: "up" },
      { command: "up", config: { who: "second" } },
      { command: "destroy", renameStack: "gone" },
      { command: "destroy", renameStack: "dev" },
    ],
  },
  {
    name: "refused-values",
    title: "words a refused check as the engine does, with the value of the property",
    bindsErrors: true,
    runs: [
      {
        command: "preview",
        program: program(thing("a"), refused({ whole: { ref: "a.token" }, part: [{ ref: "a.token" }] })),
      },
      {
        command: "up",
        program: program(
          refused({
            text: "text",
            numbers: [12, 0.5, 0.0001, 0.00001, 123456, 1234567, 1e21, -1.5e-7, 0],
            flag: true,
            list: ["a", ["b"], []],
            map: { z: "last", a: { deep: [true] }, none: {} },
            hidden: { secret: "hush" },
            hiddenMap: { secret: { inner: ["hush"] } },
            hiddenPart: { open: 1, inner: { secret: "hush" } },
            markup: '{"a": 1}\n<b>%v</b>',
          }),
        ),
      },
    ],
  },
];

/** A resource whose check refuses each of the properties, one that is absent, a nested one, and the whole. */
function refused(inputs: Record<string, unknown>) {
  return thing("b", { ...inputs, refuses: [...Object.keys(inputs), "absent", "map.z", ""] });
}
