"use strict";
// Registers what the file of ENGINE_TEST_PROGRAM declares. The provider keeps its "host" in the folder of
// ENGINE_TEST_HOST, one file a resource, and logs each call there.
const { readFileSync } = require("node:fs");
const pulumi = require("@pulumi/pulumi");
const { provider } = require("./provider");

class Thing extends pulumi.dynamic.Resource {
  constructor(name, args, options) {
    // Of an existing resource a program declares what it wants to see.
    const outputs = options.id === undefined ? { token: undefined } : { token: undefined, text: undefined };
    super(provider, name, { ...outputs, ...args }, options, "test", "Thing");
  }
}

const declared = JSON.parse(readFileSync(process.env.ENGINE_TEST_PROGRAM, "utf8"));
const made = new Map();

/** `{ref: "name.output"}` is another resource's output, `{secret: value}` a secret, `{stackName: true}` as it says. */
function resolveValue(value) {
  if (Array.isArray(value)) return value.map(resolveValue);
  if (typeof value !== "object" || value === null) return value;
  if (value.ref !== undefined) {
    const [name, output] = value.ref.split(".");
    return made.get(name)[output];
  }
  if (value.secret !== undefined) return pulumi.secret(value.secret);
  if (value.stackName === true) return pulumi.getStack();
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveValue(item)]));
}

for (const { name, component, inputs = {}, dependsOn = [], parent, id, options = {} } of declared.resources) {
  const resolved = { ...options, dependsOn: dependsOn.map((other) => made.get(other)) };
  if (parent !== undefined) resolved.parent = made.get(parent);
  if (id !== undefined) resolved.id = resolveValue(id);
  const resource = component
    ? new pulumi.ComponentResource("test:Group", name, {}, resolved)
    : new Thing(name, resolveValue(inputs), resolved);
  made.set(name, resource);
}
// The SDK prints any other error with its whole stack, which can take it a minute.
if (declared.failWith !== undefined) throw new pulumi.RunError(declared.failWith);

module.exports = resolveValue(declared.outputs ?? {});
