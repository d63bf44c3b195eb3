import { expect, test } from "vitest";
import { type SpawnedProcess, selectEngine } from "./engine.ts";
import { stackRunner } from "./runner/run.ts";
import { DECLARED_PROGRAM, DeclaredStack } from "./scenario-run.ts";

const installed = selectEngine();
const environmentOf = (declared: DeclaredStack) => ({
  ENGINE_TEST_PROGRAM: `${declared.folder}/program.json`,
  ENGINE_TEST_HOST: declared.host,
});

const program = {
  resources: [
    { name: "a", inputs: { label: "a", password: { secret: "hush" } } },
    {
      name: "b",
      inputs: { label: "b", value: { ref: "a.id" } },
      options: { protect: true, retainOnDelete: true, ignoreChanges: ["text"] },
    },
  ],
};

test.skipIf(!installed.isReal)(
  "a stack that the stack runner made goes on with the real engine, and back, without changes",
  { timeout: 120_000 },
  async () => {
    const declared = await DeclaredStack.open(stackRunner());
    try {
      declared.declare(program);
      await declared.stack.setConfig("test:who", "me");
      await declared.stack.setConfig("test:password", "sesame", { secret: true });
      expect((await declared.stack.up()).ok).toBe(true);
      await declared.stack.rename("prod");
      const stateDir = `${declared.folder}/state`;
      const env = environmentOf(declared);
      const spawned: SpawnedProcess[] = [];
      const real = await installed.openStack({ projectDir: DECLARED_PROGRAM, stackName: "prod", stateDir, env });
      const preview = await real.preview({ onSpawn: (process) => spawned.push(process) });
      expect(preview.stderr).toBe("");
      expect(preview.steps.map(({ op }) => op)).toEqual(["same", "same", "same"]);
      expect(spawned.map(({ kind }) => kind)).toEqual(["engine", "program", "provider"]);
      expect((await real.up()).ok).toBe(true);
      const again = await declared.stack.preview();
      expect(again.steps.map(({ op }) => op)).toEqual(["same", "same", "same"]);
    } finally {
      declared.remove();
    }
  },
);
