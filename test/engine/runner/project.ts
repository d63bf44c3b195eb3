import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";

/** What Pulumi.yaml says, as far as the stack runner needs it. */
export interface Project {
  readonly name: string;
  readonly rootDir: string;
  /** Working directory of the program and of its provider. */
  readonly programDir: string;
  /** Argument for the SDK's program runner. */
  readonly entryPoint: string;
  readonly typescript: boolean;
  readonly refreshAlways: boolean;
  /** Path of a module of the SDK that the program itself would load. */
  resolveSdk(module: string): string;
}

const IGNORED_KEYS = ["description", "author", "license", "website", "template"];

export function readProject(rootDir: string): Project {
  const file = join(rootDir, "Pulumi.yaml");
  if (!existsSync(file)) throw new Error(`${rootDir} must be a Pulumi project, but it has no Pulumi.yaml.`);
  const { name, runtime, main, options, ...others } = asMap(parse(readFileSync(file, "utf8")), file);
  refuseOthers(others, IGNORED_KEYS, file);
  if (typeof name !== "string") throw new Error(`${file} must have a "name".`);
  return {
    name,
    rootDir,
    ...locateProgram(rootDir, main),
    typescript: readRuntime(runtime, file),
    refreshAlways: readRefresh(options, file),
    resolveSdk: (module) =>
      createRequire(join(locateProgram(rootDir, main).programDir, "package.json")).resolve(module),
  };
}

function locateProgram(rootDir: string, main: unknown): { programDir: string; entryPoint: string } {
  if (main === undefined) return { programDir: rootDir, entryPoint: "." };
  const path = resolve(rootDir, String(main));
  if (!existsSync(path)) throw new Error(`"main" of ${rootDir}/Pulumi.yaml names ${path}, which does not exist.`);
  if (statSync(path).isDirectory()) return { programDir: path, entryPoint: "." };
  return { programDir: dirname(path), entryPoint: path };
}

/** Returns whether the program may be TypeScript, which is the default. */
function readRuntime(runtime: unknown, file: string): boolean {
  if (runtime === "nodejs") return true;
  const { name, options, ...others } = asMap(runtime, `"runtime" of ${file}`);
  refuseOthers(others, [], `"runtime" of ${file}`);
  if (name !== "nodejs") throw new Error(`The stack runner runs Node.js programs only, but ${file} asks for ${name}.`);
  const { typescript, ...otherOptions } = asMap(options ?? {}, `"runtime.options" of ${file}`);
  refuseOthers(otherOptions, ["packagemanager"], `"runtime.options" of ${file}`);
  return typescript !== false;
}

function readRefresh(options: unknown, file: string): boolean {
  const { refresh, ...others } = asMap(options ?? {}, `"options" of ${file}`);
  refuseOthers(others, [], `"options" of ${file}`);
  if (refresh !== undefined && refresh !== "always") {
    throw new Error(`"options.refresh" of ${file} must be "always", but it is ${JSON.stringify(refresh)}.`);
  }
  return refresh === "always";
}

function asMap(value: unknown, what: string): { [key: string]: unknown } {
  if (typeof value !== "object" || value === null) throw new Error(`${what} must be a map.`);
  return value as { [key: string]: unknown };
}

function refuseOthers(others: object, allowed: readonly string[], what: string): void {
  const unsupported = Object.keys(others).filter((key) => !allowed.includes(key));
  if (unsupported.length > 0) {
    throw new Error(`The stack runner does not support ${unsupported.join(", ")} in ${what}: use the real engine.`);
  }
}
