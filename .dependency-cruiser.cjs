// Imports go one way, from what users write down to the core; each list names what a layer must not know.
const provider = (layer) => `^provider/src/${layer}`;

const layer = (name, from, forbidden, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: provider(from) },
  to: { path: provider(forbidden) },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circle",
      comment: "An interface may name its implementations' types; at run time nothing goes round.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    layer("core-knows-nothing", "core/", "(?!core/)", "The core imports nothing of ours."),
    layer("rules-are-pure", "rules/", "(?!rules/|validation/|core/)", "Rules know validation and the core."),
    layer("validation-is-pure", "validation/", "(?!validation/|core/)", "Validation knows the core only."),
    layer("xapi-is-low", "xapi/", "(?!xapi/|rules/|validation/|core/)", "XAPI does not know dom0 or what is above."),
    layer("dom0-is-low", "dom0/", "(?!dom0/|rules/|validation/|core/)", "dom0 does not know XAPI or what is above."),
    layer("hosts-are-below-handlers", "hosts/", "(handlers|resources|lookups)/|^provider/src/(bridge|index)[.]"),
    layer("handlers-are-below-bridge", "handlers/", "(resources|lookups)/|^provider/src/(bridge|index)[.]"),
    {
      name: "state-holds-no-handler",
      comment: "What lands in state reaches the handlers by a require of the installed package, never by an import.",
      severity: "error",
      from: { path: provider("bridge[.]") },
      to: { path: provider(""), dependencyTypesNot: ["type-only"] },
    },
    layer(
      "resources-hold-no-logic",
      "resources/",
      "(handlers|xapi|dom0|lookups)/",
      "What users write reaches the host through the bridge.",
    ),
    {
      name: "no-io-in-pure-code",
      severity: "error",
      from: { path: provider("(rules|validation)/") },
      to: { dependencyTypes: ["core", "npm"] },
    },
    {
      name: "pulumi-at-the-top-only",
      comment: "The handlers shall fit behind a native provider plugin unchanged.",
      severity: "error",
      from: { path: provider(""), pathNot: provider("((resources|lookups)/|(bridge|index)[.])") },
      to: { path: "@pulumi/" },
    },
    {
      name: "provider-knows-no-test",
      severity: "error",
      from: { path: "^provider/" },
      to: { path: "^(test|examples)/" },
    },
    {
      name: "examples-use-the-package",
      severity: "error",
      from: { path: "^examples/" },
      to: { path: "^(test|provider/src)/" },
    },
    {
      name: "simulator-knows-no-lab",
      comment: "Official clients and tests use the simulator without a lab.",
      severity: "error",
      from: { path: "^test/sim/" },
      to: { path: "^test/(lab|engine|tour|e2e)/" },
    },
    {
      name: "stack-runner-knows-no-host",
      comment: "It runs any program; what it knows of ours would hide what the real engine does not do.",
      severity: "error",
      from: { path: "^test/engine/" },
      to: { path: "^(test/(lab|sim|tour|e2e)|provider)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
