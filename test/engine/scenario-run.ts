import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine, ExportedResource, RunOptions, RunResult, Stack, Step } from "./engine.ts";
import { PROVIDER_PROPERTY, SIGNATURE_KEY } from "./runner/values.ts";
import type { Scenario, ScenarioRun } from "./scenario.ts";

/** What a scenario's run did, without anything that differs from one machine or minute to another. */
export interface Recording {
  readonly command: string;
  readonly ok: boolean;
  readonly steps: readonly RecordedStep[];
  /** Only where the scenario binds them. */
  readonly errors?: readonly string[];
  /** The provider's own log of its calls. */
  readonly calls: readonly unknown[];
  readonly state: readonly unknown[];
}

interface RecordedStep extends Pick<Step, "op" | "name" | "diffs"> {
  readonly failed?: boolean;
}

export const DECLARED_PROGRAM = fileURLToPath(new URL("./programs/declared", import.meta.url));

/** A fresh stack of the program that registers what a file declares, with the folder that its provider works on. */
export class DeclaredStack {
  readonly folder: string;
  readonly host: string;
  readonly stack: Stack;
  readonly #program: string;

  private constructor(folder: string, stack: Stack) {
    this.folder = folder;
    this.host = join(folder, "host");
    this.stack = stack;
    this.#program = join(folder, "program.json");
  }

  static async open(engine: Engine): Promise<DeclaredStack> {
    const folder = mkdtempSync(join(tmpdir(), "engine-test-"));
    const host = join(folder, "host");
    mkdirSync(host);
    const env = { ENGINE_TEST_PROGRAM: join(folder, "program.json"), ENGINE_TEST_HOST: host };
    const stateDir = join(folder, "state");
    return new DeclaredStack(
      folder,
      await engine.openStack({ projectDir: DECLARED_PROGRAM, stackName: "dev", stateDir, env }),
    );
  }

  declare(program: NonNullable<ScenarioRun["program"]>): void {
    writeFileSync(this.#program, JSON.stringify(program));
  }

  /** The calls since the last time this was asked. */
  takeCalls(): { method: string; label: string; [detail: string]: unknown }[] {
    const log = join(this.host, "calls.log");
    const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    rmSync(log, { force: true });
    return lines.map((line) => JSON.parse(line));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export async function recordScenario(engine: Engine, scenario: Scenario): Promise<Recording[]> {
  const declared = await DeclaredStack.open(engine);
  try {
    const recordings: Recording[] = [];
    for (const run of scenario.runs) recordings.push(await recordRun(declared, run, scenario.bindsErrors === true));
    return recordings;
  } finally {
    declared.remove();
  }
}

async function recordRun(declared: DeclaredStack, run: ScenarioRun, withErrors: boolean): Promise<Recording> {
  const { stack } = declared;
  if (run.renameStack !== undefined) await stack.rename(run.renameStack);
  if (run.program !== undefined) declared.declare(run.program);
  for (const [key, value] of Object.entries(run.config ?? {})) await stack.setConfig(`test:${key}`, value);
  for (const [file, content] of Object.entries(run.host ?? {})) {
    if (content === null) rmSync(join(declared.host, file));
    else writeFileSync(join(declared.host, file), JSON.stringify(content));
  }
  const result = await stack[run.command](await optionsOf(run, stack));
  const { deployment } = await stack.exportDeployment();
  return {
    command: run.command,
    ok: result.ok,
    steps: stepsOf(result),
    ...(withErrors ? { errors: errorsOf(result) } : {}),
    calls: declared.takeCalls(),
    state: (deployment.resources ?? []).map(recordState),
  };
}

async function optionsOf(run: ScenarioRun, stack: Stack): Promise<RunOptions> {
  const { deployment } = await stack.exportDeployment();
  const urns = (deployment.resources ?? []).map(({ urn }) => urn);
  const urnOf = (name: string) => urns.find((urn) => nameOf(urn) === name) ?? urnOfNew(name);
  // One step at a time: with more, neither engine promises an order between independent resources.
  return {
    parallel: 1,
    ...(run.refresh === undefined ? {} : { refresh: run.refresh }),
    ...(run.replace === undefined ? {} : { replace: run.replace.map(urnOf) }),
    ...(run.targets === undefined ? {} : { targets: run.targets.map(urnOf) }),
    ...(run.targetDependents === undefined ? {} : { targetDependents: run.targetDependents }),
  };
}

/** The URN that the program's resource of this name gets in a stack that was not renamed. */
function urnOfNew(name: string): string {
  return `urn:pulumi:dev::xennet-engine-test::pulumi-nodejs:dynamic/test:Thing::${name}`;
}

/** What was told about resources of the program; that the run as a whole failed is worded differently by each engine. */
function errorsOf({ errors }: RunResult): string[] {
  return errors.filter(({ urn, message }) => isAboutTarget(message) || isOwn(urn)).map(({ message }) => message);
}

function isOwn(urn: string): boolean {
  return urn !== "" && !urn.includes("::pulumi:pulumi:Stack::");
}

function isAboutTarget(message: string): boolean {
  return message.startsWith("Target ");
}

function stepsOf({ steps }: RunResult): RecordedStep[] {
  return steps.map(({ op, name, diffs, error }) => ({
    op,
    name,
    ...(diffs === undefined ? {} : { diffs: [...diffs].sort() }),
    ...(error === undefined ? {} : { failed: true }),
  }));
}

function recordState(resource: ExportedResource): unknown {
  const { delete: isDeleted, pendingReplacement, initErrors, propertyDependencies, dependencies, aliases } = resource;
  return {
    name: nameOf(resource.urn),
    type: resource.urn.split("::")[2],
    id: resource.type.startsWith("pulumi:providers:") ? "(random)" : resource.id,
    parent: resource.parent === undefined ? undefined : nameOf(resource.parent),
    provider: typeof resource["provider"] === "string" ? resource["provider"].replace(/::[^:]*$/, "") : undefined,
    inputs: withoutSecrets(resource.inputs),
    outputs: withoutSecrets(resource.outputs),
    ...{ isDeleted, pendingReplacement, initErrors, aliases, propertyDependencies },
    // Neither engine promises an order among them.
    dependencies: dependencies === undefined ? undefined : [...dependencies].sort(),
    additionalSecretOutputs: resource["additionalSecretOutputs"],
    ...Object.fromEntries(OPTIONS.map((option) => [option, resource[option]])),
  };
}

/** Options that the state keeps as the program gave them. */
const OPTIONS = ["protect", "retainOnDelete", "external", "ignoreChanges", "deletedWith"];

function withoutSecrets(properties: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const shown = Object.entries(properties).filter(([key]) => key !== PROVIDER_PROPERTY);
  return Object.fromEntries(shown.map(([key, value]) => [key, withoutSecret(value)]));
}

function withoutSecret(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return SIGNATURE_KEY in value ? "[secret]" : withoutSecrets(value as Record<string, unknown>);
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
