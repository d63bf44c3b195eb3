/** A resource of the program in `programs/declared`. */
export interface DeclaredResource {
  readonly name: string;
  readonly component?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly dependsOn?: readonly string[];
  readonly parent?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Gets the existing resource of this id, instead of managing one. */
  readonly id?: unknown;
}

export interface DeclaredProgram {
  readonly resources: readonly DeclaredResource[];
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly failWith?: string;
}

export interface ScenarioRun {
  readonly command: "preview" | "up" | "refresh" | "destroy";
  /** Replaces the program before the run. */
  readonly program?: DeclaredProgram;
  readonly refresh?: boolean;
  /** Names of resources for `--replace`. */
  readonly replace?: readonly string[];
  /** Names of resources for `--target`. */
  readonly targets?: readonly string[];
  readonly targetDependents?: boolean;
  /** Renames the stack before the run. */
  readonly renameStack?: string;
  readonly config?: Readonly<Record<string, string>>;
  /** Changes what the "host" holds, by file name; null removes the file. */
  readonly host?: Readonly<Record<string, unknown>>;
}

export interface Scenario {
  /** Name of the recording under `golden/`. */
  readonly name: string;
  /** What the recording pins down, as a sentence. */
  readonly title: string;
  readonly runs: readonly ScenarioRun[];
  /** The errors about resources are recorded, too. */
  readonly bindsErrors?: boolean;
}

/** A resource of the program's own type; its label shows in the provider's log. */
export const thing = (name: string, inputs: Record<string, unknown> = {}, more: Partial<DeclaredResource> = {}) => {
  return { name, inputs: { label: name, ...inputs }, ...more };
};
export const program = (...resources: DeclaredResource[]): DeclaredProgram => ({ resources });
export const deleteFirst = { options: { deleteBeforeReplace: true } };
