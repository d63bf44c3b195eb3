import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { legs } from "../support/legs.ts";
import { type Engine, type RunResult, selectEngine } from "./engine.ts";
import { stackRunner } from "./runner/run.ts";
import { program, thing } from "./scenario.ts";
import { DeclaredStack } from "./scenario-run.ts";

const installed = selectEngine();
const engines = legs<Engine>(stackRunner(), ...(installed.isReal ? [installed] : []));

/** What was done to the program's own resources; neither engine promises an order among independent ones. */
const done = (result: RunResult) =>
  result.steps
    .filter(({ op, type }) => op !== "same" && type.includes("dynamic/test:"))
    .map(({ op, name, error }) => `${op} ${name}${error === undefined ? "" : " fails"}`)
    .sort();

async function recorded({ stack }: DeclaredStack): Promise<string[]> {
  const { resources = [] } = (await stack.exportDeployment()).deployment;
  return resources.filter(({ type }) => type.includes("dynamic/test:")).map(({ urn }) => urn.split("::").at(-1) ?? "");
}

const goOn = { parallel: 1, continueOnError: true } as const;

describe.each(engines.map((engine) => ({ name: engine.name, engine })))(
  "with --continue-on-error the $name",
  ({ engine }) => {
    test("leaves out what depends on a resource that failed, and nothing else", async () => {
      const declared = await DeclaredStack.open(engine);
      try {
        declared.declare(
          program(
            thing("a", { failsAtCreate: "no room" }),
            thing("b", { value: { ref: "a.token" } }),
            thing("c", {}, { dependsOn: ["b"] }),
            thing("d"),
            thing("e", { value: { ref: "d.token" } }),
          ),
        );
        const first = await declared.stack.up(goOn);
        expect([first.ok, done(first)]).toEqual([false, ["create a fails", "create d", "create e"]]);
        expect((await recorded(declared)).sort()).toEqual(["d", "e"]);

        const later = [thing("a"), thing("e", { value: { ref: "d.token" } })] as const;
        declared.declare(program(later[0], thing("d", { failsAtUpdate: "no", value: 1 }), later[1]));
        const second = await declared.stack.up(goOn);
        expect([second.ok, done(second)]).toEqual([false, ["create a", "update d fails"]]);
        expect((await recorded(declared)).sort()).toEqual(["a", "d", "e"]);

        declared.declare(program(later[0], thing("d"), later[1]));
        expect((await declared.stack.up(goOn)).ok).toBe(true);
      } finally {
        declared.remove();
      }
    });

    test("ends with an error where it leaves out a component", async () => {
      const declared = await DeclaredStack.open(engine);
      try {
        declared.declare(
          program(thing("a", { failsAtCreate: "no room" }), { name: "group", component: true, dependsOn: ["a"] }),
        );
        const result = await declared.stack.up(goOn);
        expect(result.ok).toBe(false);
        expect(result.errors.map(({ message }) => message).join()).toContain("whose registration isn't pending");
      } finally {
        declared.remove();
      }
    });

    test("keeps what a resource needs whose delete failed, and goes on with the other deletes", async () => {
      const declared = await DeclaredStack.open(engine);
      try {
        declared.declare(program(thing("a"), thing("b", { value: { ref: "a.id" } }), thing("c"), thing("d")));
        expect((await declared.stack.up()).ok).toBe(true);
        writeFileSync(join(declared.host, "keep-b"), "");
        expect((await declared.stack.destroy(goOn)).ok).toBe(false);
        expect(await recorded(declared)).toEqual(["a", "b"]);
      } finally {
        declared.remove();
      }
    });
  },
);
