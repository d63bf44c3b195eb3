import { existsSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { ExportedDeployment, RunOptions, RunResult, Stack, StackOptions } from "../engine.ts";
import { configFilePath, openStackFiles, type StackFiles } from "../stack-files.ts";
import { readConfig, writeConfig } from "./config.ts";
import { type Deployment, exportDeployment, importDeployment } from "./deployment.ts";
import { Operation } from "./operation.ts";
import { type OperationKind, Report } from "./report.ts";
import { renameStack } from "./stack-rename.ts";
import { readStateFile, stateFilePath, writeStateFile } from "./state-file.ts";
import { Targets } from "./targets.ts";
import { redactMap } from "./text.ts";
import { STACK_TYPE } from "./urn.ts";
import { Secret } from "./values.ts";

/** A stack that the stack runner runs. State and config lie where, and as, Pulumi's file backend would keep them. */
export class RunnerStack implements Stack {
  #options: StackOptions;
  #files: StackFiles;

  private constructor(options: StackOptions, files: StackFiles) {
    this.#options = options;
    this.#files = files;
  }

  static async open(options: StackOptions): Promise<RunnerStack> {
    return new RunnerStack(options, await openStackFiles(options));
  }

  get stateFile(): string {
    return this.#files.stateFile;
  }

  async setConfig(key: string, value: string, options: { readonly secret?: boolean } = {}): Promise<void> {
    const stored = options.secret === true ? new Secret(value) : value;
    const { configFile, project, secrets } = this.#files;
    writeConfig(configFile, project.name, key, stored, secrets);
  }

  preview(options?: RunOptions): Promise<RunResult> {
    return this.#run("preview", options);
  }

  up(options?: RunOptions): Promise<RunResult> {
    return this.#run("up", options);
  }

  refresh(options?: RunOptions): Promise<RunResult> {
    return this.#run("refresh", options);
  }

  destroy(options?: RunOptions): Promise<RunResult> {
    return this.#run("destroy", options);
  }

  async rename(stackName: string): Promise<void> {
    const { project, configFile } = this.#files;
    const before = { project: project.name, stack: this.#options.stackName };
    const options = { ...this.#options, stackName };
    if (existsSync(stateFilePath(options.stateDir, project.name, stackName))) {
      throw new Error(`There is a stack ${stackName} already: choose another name.`);
    }
    const deployment = renameStack(this.#load(), before, stackName);
    const oldStateFile = this.stateFile;
    renameSync(configFile, configFilePath(options));
    this.#files = await openStackFiles(options);
    this.#options = options;
    this.#save(deployment);
    rmSync(oldStateFile);
  }

  async exportDeployment(): Promise<ExportedDeployment> {
    return exportDeployment(this.#load(), this.#files.secrets);
  }

  async #run(kind: OperationKind, options: RunOptions = {}): Promise<RunResult> {
    const title = `${kind} of ${this.#files.project.name}/${this.#options.stackName}`;
    const report = new Report({ kind, title, onOutput: options.onOutput ?? (() => {}) });
    const operation = new Operation({
      kind,
      report,
      project: this.#files.project,
      stackName: this.#options.stackName,
      config: readConfig(this.#files.configFile, this.#files.secrets),
      before: this.#load(),
      save: (deployment) => this.#save(deployment),
      env: { ...definedIn(process.env), ...this.#options.env, ...options.env },
      parallel: options.parallel ?? 4 * availableParallelism(),
      refresh: options.refresh ?? this.#files.project.refreshAlways,
      replace: new Set(options.replace ?? []),
      targets: new Targets(options.targets ?? [], options.targetDependents === true),
      continueOnError: continuesOnError(kind, options),
      signal: options.signal,
      onSpawn: options.onSpawn ?? (() => {}),
    });
    const ok = await operation.run();
    return {
      ok,
      exitCode: ok ? 0 : 1,
      stdout: report.stdout,
      stderr: report.stderr,
      steps: report.steps,
      errors: report.errors,
      calls: operation.calls,
      outputs: stackOutputs(operation.snapshot.current()),
    };
  }

  #load(): Deployment {
    const stored = readStateFile(this.stateFile);
    return stored === undefined
      ? { resources: [], pendingOperations: [] }
      : importDeployment(stored, this.#files.secrets);
  }

  #save(deployment: Deployment): void {
    const qualifiedName = `organization/${this.#files.project.name}/${this.#options.stackName}`;
    writeStateFile(this.stateFile, qualifiedName, exportDeployment(deployment, this.#files.secrets));
  }
}

function definedIn(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function continuesOnError(kind: OperationKind, { continueOnError = false }: RunOptions): boolean {
  if (continueOnError && kind !== "up" && kind !== "destroy") {
    throw new Error(`A ${kind} knows no --continue-on-error: use it with up or destroy.`);
  }
  return continueOnError;
}

function stackOutputs({ resources }: Deployment): Record<string, unknown> {
  return redactMap(resources.find(({ type }) => type === STACK_TYPE)?.outputs ?? {});
}
