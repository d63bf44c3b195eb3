import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type SpawnedProcess, selectEngine } from "./engine.ts";
import { stackRunner } from "./runner/run.ts";
import type { DeclaredResource } from "./scenario.ts";
import { DECLARED_PROGRAM, DeclaredStack } from "./scenario-run.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

async function openStack(...resources: DeclaredResource[]): Promise<DeclaredStack> {
  const declared = await DeclaredStack.open(stackRunner());
  cleanups.push(() => declared.remove());
  declared.declare({ resources });
  return declared;
}

const thing = (name: string, inputs: Record<string, unknown> = {}, more: Partial<DeclaredResource> = {}) => ({
  name,
  inputs: { label: name, ...inputs },
  ...more,
});

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** How many of the provider's calls ran at once, at most. */
function mostAtOnce(declared: DeclaredStack, log: "running.log" | "asking.log"): number {
  let running = 0;
  let most = 0;
  for (const mark of readFileSync(join(declared.host, log), "utf8")) {
    running += mark === "+" ? 1 : -1;
    most = Math.max(most, running);
  }
  return most;
}

test("independent creates run at once, no more than asked for, and their checks come one at a time", async () => {
  const names = ["a", "b", "c", "d", "e"];
  const declared = await openStack(...names.map((name) => thing(name, { takesMs: 400, askTakesMs: 20 })));
  const result = await declared.stack.up({ parallel: 3 });
  expect(result.stderr).toBe("");
  expect(mostAtOnce(declared, "running.log")).toBe(3);
  expect(mostAtOnce(declared, "asking.log")).toBe(1);
});

test("deletes come dependents first", async () => {
  const declared = await openStack(
    thing("a"),
    thing("b", { value: { ref: "a.id" } }),
    thing("c", { value: { ref: "a.id" } }),
  );
  await declared.stack.up();
  declared.takeCalls();
  const result = await declared.stack.destroy();
  expect(result.ok).toBe(true);
  const deleted = declared.takeCalls().map(({ label }) => label);
  expect(deleted.slice(0, 2).sort()).toEqual(["b", "c"]);
  expect(deleted[2]).toBe("a");
});

test("a secret is in clear neither in the state file nor in what a person reads, config included", async () => {
  const declared = await openStack(thing("a", { password: { secret: "hush-hush" } }));
  await declared.stack.setConfig("test:password", "sesame", { secret: true });
  const result = await declared.stack.up();
  expect(result.ok).toBe(true);
  expect(result.stdout).toContain('password: "[secret]"');
  const written = readFileSync(declared.stack.stateFile, "utf8") + result.stdout + result.stderr;
  expect(written).not.toContain("hush-hush");
  expect(written).not.toContain("sesame");
});

test("text of several lines is shown in full, with its changed lines marked", async () => {
  const declared = await openStack(thing("a", { text: "keep\nold\n" }));
  await declared.stack.up();
  declared.declare({ resources: [thing("a", { text: "keep\nnew\n" })] });
  const { stdout } = await declared.stack.preview();
  expect(stdout).toContain("text:\n          keep\n        - old\n        + new\n");
});

test("what a step changes is marked as the engine marks it, and so are protection and what is retained", async () => {
  const retained = { options: { retainOnDelete: true } };
  const declared = await openStack(thing("a", { value: 1, place: "x", text: "t" }), thing("b", {}, retained));
  await declared.stack.up();
  declared.declare({
    resources: [
      thing("a", { value: 2, password: "p", place: "x" }),
      thing("c", {}, { options: { aliases: [{ name: "b" }], retainOnDelete: true, protect: true } }),
    ],
  });
  const updated = await declared.stack.up();
  expect(updated.stdout).toContain("update test:Thing a [diff: +password-text~derived,value]\n");
  declared.declare({ resources: [thing("c", { label: "c" }, retained)] });
  const unprotected = await declared.stack.up();
  expect(unprotected.stdout).toContain("Thing c [diff: ~protect]\n");
  declared.declare({ resources: [] });
  expect((await declared.stack.up()).stdout).toContain("delete test:Thing c [retain]\n");
});

test("a stack cannot take the name of another one", async () => {
  const declared = await openStack(thing("a"));
  await declared.stack.rename("prod");
  const other = { projectDir: DECLARED_PROGRAM, stackName: "dev", stateDir: join(declared.folder, "state") };
  await (await stackRunner().openStack(other)).setConfig("test:who", "me");
  await expect(declared.stack.rename("dev")).rejects.toThrow("a stack dev already");
  expect(declared.stack.stateFile).toMatch(/prod\.json$/);
});

test("only up and destroy go on after errors", async () => {
  const declared = await openStack(thing("a"));
  await expect(declared.stack.refresh({ continueOnError: true })).rejects.toThrow("knows no --continue-on-error");
});

test("a pattern as target fails by its name", async () => {
  const declared = await openStack(thing("a"));
  await expect(declared.stack.up({ targets: ["**::a"] })).rejects.toThrow("patterns as targets (**::a)");
  expect(declared.takeCalls()).toEqual([]);
});

test("the abort signal lets the running step end, starts no other, and leaves no process", async () => {
  const declared = await openStack(thing("a", { takesMs: 1500 }), thing("b", {}, { dependsOn: ["a"] }));
  const abort = new AbortController();
  const spawned: SpawnedProcess[] = [];
  const result = await declared.stack.up({
    signal: abort.signal,
    onSpawn: (process) => {
      spawned.push(process);
      if (process.kind === "provider") abortWhenCreating(declared, abort);
    },
  });
  expect(result.ok).toBe(false);
  expect(result.stdout).toContain("CANCELLED");
  const { deployment } = await declared.stack.exportDeployment();
  const ids = (deployment.resources ?? []).map(({ id }) => id);
  expect(ids).toContain("a-1");
  expect(declared.takeCalls().map(({ label }) => label)).not.toContain("b");
  expect(spawned.map(({ kind }) => kind).sort()).toEqual(["program", "provider"]);
  expect(spawned.filter(({ pid }) => isRunning(pid))).toEqual([]);
});

function abortWhenCreating(declared: DeclaredStack, abort: AbortController): void {
  const timer = setInterval(() => {
    if (!isStarted(declared)) return;
    clearInterval(timer);
    abort.abort();
  }, 20);
  cleanups.push(() => clearInterval(timer));
}

function isStarted(declared: DeclaredStack): boolean {
  try {
    return readFileSync(join(declared.host, "running.log"), "utf8") !== "";
  } catch {
    return false;
  }
}

test("a provider that is killed fails the run, what it was doing is not recorded, and the next up does it", async () => {
  const declared = await openStack(thing("a"), thing("b", { takesMs: 60_000 }, { dependsOn: ["a"] }));
  const result = await declared.stack.up({
    onSpawn: ({ kind, pid }) => {
      if (kind !== "provider") return;
      const timer = setInterval(() => {
        if (!isStarted(declared) || readFileSync(join(declared.host, "running.log"), "utf8") !== "+-+") return;
        clearInterval(timer);
        process.kill(pid, "SIGKILL");
      }, 20);
      cleanups.push(() => clearInterval(timer));
    },
  });
  expect(result.ok).toBe(false);
  expect(result.steps.find(({ name }) => name === "b")?.error).toMatch(/\w/);
  declared.declare({ resources: [thing("a"), thing("b", {}, { dependsOn: ["a"] })] });
  const next = await declared.stack.up();
  expect(next.ok).toBe(true);
  expect(next.steps.map(({ op, name }) => `${op} ${name}`)).toContain("create b");
});

test("an option that the stack runner does not know fails by its name, before anything is created", async () => {
  const declared = await openStack(
    thing("a", {}, { options: { customTimeouts: { create: "5m" }, replaceOnChanges: ["value"] } }),
  );
  const result = await declared.stack.up();
  expect(result.ok).toBe(false);
  expect(result.stderr).toContain("the option customTimeouts, the option replaceOnChanges");
  expect(declared.takeCalls()).toEqual([]);
});

test("a key of Pulumi.yaml that the stack runner does not know fails by its name", async () => {
  const folder = mkdtempSync(join(tmpdir(), "engine-test-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: x\nruntime: nodejs\nplugins: {}\n");
  const opening = stackRunner().openStack({ projectDir: folder, stackName: "dev", stateDir: join(folder, "state") });
  await expect(opening).rejects.toThrow("plugins");
});

test("XENNET_TEST_ENGINE must be an executable; without it the PATH decides", () => {
  expect(() => selectEngine({ XENNET_TEST_ENGINE: "/nonexistent/pulumi" })).toThrow("/nonexistent/pulumi");
  expect(selectEngine({ PATH: "/nonexistent" }).isReal).toBe(false);
});
