import { spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Engine, ExportedDeployment, RunOptions, RunResult, Stack, StackOptions } from "./engine.ts";
import { readEventLog } from "./event-log.ts";
import { ProviderWatch } from "./provider-watch.ts";
import { configFilePath, openStackFiles, type StackFiles } from "./stack-files.ts";

/** The real engine: a `pulumi` command line, with its language plugin beside it. */
export function realEngine(command: string): Engine {
  return {
    name: `Pulumi engine (${command})`,
    isReal: true,
    openStack: async (options) => new RealStack(resolve(command), options, await openStackFiles(options)),
  };
}

interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

class RealStack implements Stack {
  readonly #command: string;
  #options: StackOptions;
  #files: StackFiles;

  constructor(command: string, options: StackOptions, files: StackFiles) {
    this.#command = command;
    this.#options = options;
    this.#files = files;
  }

  get stateFile(): string {
    return this.#files.stateFile;
  }

  async setConfig(key: string, value: string, options: { readonly secret?: boolean } = {}): Promise<void> {
    const args = ["config", "set", ...this.#stackFlags(), options.secret === true ? "--secret" : "--plaintext", key];
    // The value goes through stdin: a command line is readable by everyone on the machine.
    await this.#succeed(args, value);
  }

  preview(options?: RunOptions): Promise<RunResult> {
    return this.#run("preview", ["--diff"], options);
  }

  up(options?: RunOptions): Promise<RunResult> {
    return this.#run("up", ["--yes", "--skip-preview", "--diff"], options);
  }

  refresh(options?: RunOptions): Promise<RunResult> {
    return this.#run("refresh", ["--yes", "--skip-preview", "--diff"], options);
  }

  destroy(options?: RunOptions): Promise<RunResult> {
    return this.#run("destroy", ["--yes", "--skip-preview", "--diff"], options);
  }

  async rename(stackName: string): Promise<void> {
    await this.#succeed(["stack", "rename", stackName, "--stack", this.#options.stackName]);
    const options = { ...this.#options, stackName };
    // The engine moves only a config file that lies in the project's folder.
    renameSync(this.#files.configFile, configFilePath(options));
    this.#files = await openStackFiles(options);
    this.#options = options;
  }

  async exportDeployment(): Promise<ExportedDeployment> {
    const { stdout } = await this.#succeed(["stack", "export", "--stack", this.#options.stackName]);
    return JSON.parse(stdout) as ExportedDeployment;
  }

  async #run(verb: string, flags: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const folder = mkdtempSync(join(tmpdir(), "pulumi-events-"));
    const eventLog = join(folder, "events.json");
    const args = [verb, ...this.#stackFlags(), ...flags, "--event-log", eventLog, ...runFlags(verb, options)];
    try {
      const result = await this.#spawn(args, options);
      return { ok: result.exitCode === 0, ...result, ...readEventLog(eventLog) };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  #stackFlags(): string[] {
    return ["--stack", this.#options.stackName, "--config-file", this.#files.configFile];
  }

  async #succeed(args: readonly string[], stdin = ""): Promise<CommandResult> {
    const result = await this.#spawn(args, {}, stdin);
    if (result.exitCode === 0) return result;
    throw new Error(`pulumi ${args.join(" ")} ended with exit status ${result.exitCode}:\n${result.stderr}`);
  }

  #spawn(args: readonly string[], options: RunOptions, stdin = ""): Promise<CommandResult> {
    return new Promise((resolveResult, reject) => {
      const child = spawn(this.#command, [...args, "--non-interactive"], {
        cwd: this.#files.project.rootDir,
        env: { ...process.env, ...this.#environment(), ...this.#options.env, ...options.env },
        stdio: ["pipe", "pipe", "pipe"],
      });
      child.once("error", reject);
      const watch = new ProviderWatch(child.pid, options.onSpawn);
      const interrupt = () => child.kill("SIGINT");
      options.signal?.addEventListener("abort", interrupt, { once: true });
      const output = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream].setEncoding("utf8").on("data", (text: string) => {
          output[stream] += text;
          options.onOutput?.(text);
        });
      }
      child.stdin.end(stdin);
      child.once("close", (code) => {
        watch.stop();
        options.signal?.removeEventListener("abort", interrupt);
        resolveResult({ exitCode: code ?? 1, ...output });
      });
    });
  }

  #environment(): Record<string, string> {
    return {
      PULUMI_HOME: join(resolve(this.#options.stateDir), "pulumi-home"),
      PULUMI_BACKEND_URL: `file://${resolve(this.#options.stateDir)}`,
      PULUMI_CONFIG_PASSPHRASE: this.#files.passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // Without it there is no --event-log, the only record of steps that all four commands can write.
      PULUMI_DEBUG_COMMANDS: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      NO_COLOR: "1",
      PATH: `${dirname(this.#command)}${delimiter}${process.env["PATH"] ?? ""}`,
    };
  }
}

function runFlags(verb: string, options: RunOptions): string[] {
  const flags: string[] = [];
  if (options.parallel !== undefined) flags.push("--parallel", String(options.parallel));
  if (options.refresh !== undefined && verb !== "refresh") flags.push(`--refresh=${options.refresh}`);
  for (const urn of options.replace ?? []) flags.push("--replace", urn);
  for (const urn of options.targets ?? []) flags.push("--target", urn);
  if (options.targetDependents === true) flags.push("--target-dependents");
  if (options.continueOnError === true) flags.push("--continue-on-error");
  return flags;
}
