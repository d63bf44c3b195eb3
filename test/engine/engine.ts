import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { realEngine } from "./real-engine.ts";
import { stackRunner } from "./runner/run.ts";

/** What one step did (or, in a preview, would do) to one resource; the names are the engine's own. */
export type StepOp =
  | "same"
  | "create"
  | "update"
  | "replace"
  | "create-replacement"
  | "delete-replaced"
  | "delete"
  | "read"
  | "read-replacement"
  | "refresh"
  | "discard"
  | "discard-replaced"
  | "remove-pending-replace";

export interface Step {
  readonly op: StepOp;
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** Input properties that differ; after a refresh, properties that changed outside. */
  readonly diffs?: readonly string[];
  /** Why the step failed. */
  readonly error?: string;
}

/** One call of a provider, as seen on the wire. The real engine does not record them. */
export interface ProviderCall {
  readonly method: string;
  readonly urn: string;
  /** For check: no old inputs were passed. */
  readonly oldsEmpty?: boolean;
}

export interface RunOptions {
  /** Most create, update, delete and read calls at one time; 4 × cores unless given. */
  readonly parallel?: number;
  /** Refresh before the operation; what Pulumi.yaml's `options.refresh` says unless given. */
  readonly refresh?: boolean;
  /** URNs to replace even if nothing changed. */
  readonly replace?: readonly string[];
  /** URNs to which the operation is confined. */
  readonly targets?: readonly string[];
  /** The operation covers what depends on `targets`, too. */
  readonly targetDependents?: boolean;
  /** Only of up and destroy: a failed step keeps what depends on it from being done, and nothing else. */
  readonly continueOnError?: boolean;
  /** Added to the environment of the stack for this run only. */
  readonly env?: Readonly<Record<string, string>>;
  /** Aborting it is Ctrl-C: the running steps end, no new one starts. */
  readonly signal?: AbortSignal;
  /** Called with every process that is started for this run, so that a test can kill it. */
  readonly onSpawn?: (process: SpawnedProcess) => void;
  /** Called with the text a person would see, as it appears. */
  readonly onOutput?: (text: string) => void;
}

export interface SpawnedProcess {
  readonly kind: "engine" | "program" | "provider";
  readonly pid: number;
}

/** An error that a run told about a resource, in the engine's own words. */
export interface ReportedError {
  /** Empty when the error is about the run as a whole. */
  readonly urn: string;
  readonly message: string;
}

export interface RunResult {
  readonly ok: boolean;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly steps: readonly Step[];
  readonly errors: readonly ReportedError[];
  /** Only from the stack runner. */
  readonly calls?: readonly ProviderCall[];
  /** Stack outputs after an up; secret ones as `[secret]`. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** The state in Pulumi's deployment shape, as `pulumi stack export` prints it. */
export interface ExportedDeployment {
  readonly version: number;
  readonly deployment: {
    readonly resources?: readonly ExportedResource[];
    readonly pending_operations?: readonly unknown[];
    readonly [key: string]: unknown;
  };
}

export interface ExportedResource {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly parent?: string;
  readonly dependencies?: readonly string[];
  readonly initErrors?: readonly string[];
  readonly [key: string]: unknown;
}

/** One stack of one project: what `pulumi` does in the project's folder. */
export interface Stack {
  /** Sets a config value (`xennet:host`, or a bare key of the project); a secret one is stored encrypted. */
  setConfig(key: string, value: string, options?: { readonly secret?: boolean }): Promise<void>;
  preview(options?: RunOptions): Promise<RunResult>;
  up(options?: RunOptions): Promise<RunResult>;
  refresh(options?: RunOptions): Promise<RunResult>;
  destroy(options?: RunOptions): Promise<RunResult>;
  /** Gives the stack another name, as `pulumi stack rename` does: it keeps its resources, their URNs change. */
  rename(stackName: string): Promise<void>;
  /** The state with its secrets still encrypted. */
  exportDeployment(): Promise<ExportedDeployment>;
  /** The file that holds the state. */
  readonly stateFile: string;
}

export interface StackOptions {
  /** Folder that holds Pulumi.yaml. */
  readonly projectDir: string;
  readonly stackName: string;
  /** Holds the state, the stack's config and, for the real engine, PULUMI_HOME. */
  readonly stateDir: string;
  /** Added to the environment of every run. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Something that runs Pulumi programs: the real engine or the stack runner that stands in for it. */
export interface Engine {
  /** For a person: which engine this is and where it comes from. */
  readonly name: string;
  readonly isReal: boolean;
  openStack(options: StackOptions): Promise<Stack>;
}

/** The engine of `XENNET_TEST_ENGINE` (path to a `pulumi`), else `pulumi` on the PATH, else the stack runner. */
export function selectEngine(env: NodeJS.ProcessEnv = process.env): Engine {
  const chosen = env["XENNET_TEST_ENGINE"];
  if (chosen !== undefined && chosen !== "") {
    if (!isExecutable(chosen)) {
      throw new Error(
        `XENNET_TEST_ENGINE must be the path of a pulumi binary, but ${chosen} is not an executable file.`,
      );
    }
    return realEngine(chosen);
  }
  const found = (env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "pulumi"))
    .find(isExecutable);
  return found === undefined ? stackRunner() : realEngine(found);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
