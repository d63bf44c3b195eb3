import { createInterface } from "node:readline";
import type { SpawnedProcess } from "../engine.ts";
import { configEnvironment, type StackConfig } from "./config.ts";
import { type ExitStatus, ProcessGroup } from "./process-group.ts";
import type { Project } from "./project.ts";

export interface ProgramOptions {
  readonly project: Project;
  readonly stackName: string;
  readonly config: StackConfig;
  readonly dryRun: boolean;
  readonly parallel: number;
  readonly env: Readonly<Record<string, string>>;
  readonly monitorAddress: string;
  readonly engineAddress: string;
  readonly onSpawn: (process: SpawnedProcess) => void;
  /** One line that the program printed. */
  readonly onLine: (line: string) => void;
}

/** Exit status of the SDK's runner after an error that it has already logged. */
export const EXIT_LOGGED = 32;

/** The user's program in the SDK's own program runner. */
export class ProgramProcess {
  readonly ended: Promise<ExitStatus>;
  readonly #group: ProcessGroup;

  constructor(options: ProgramOptions) {
    const { project } = options;
    const flags = {
      monitor: options.monitorAddress,
      engine: options.engineAddress,
      // The organization of every stack of Pulumi's file backend.
      organization: "organization",
      project: project.name,
      "root-directory": project.rootDir,
      stack: options.stackName,
      pwd: project.programDir,
    };
    const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
    if (options.dryRun) args.push("--dry-run");
    args.push("--parallel", String(options.parallel), project.entryPoint);
    this.#group = new ProcessGroup(process.execPath, [project.resolveSdk("@pulumi/pulumi/cmd/run"), ...args], {
      cwd: project.programDir,
      env: {
        ...options.env,
        ...configEnvironment(options.config),
        ...(project.typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
      },
    });
    this.ended = this.#group.ended;
    options.onSpawn({ kind: "program", pid: this.#group.pid });
    createInterface({ input: this.#group.child.stdout }).on("line", options.onLine);
    createInterface({ input: this.#group.child.stderr }).on("line", options.onLine);
  }

  async stop(): Promise<void> {
    await this.#group.stop();
  }
}
