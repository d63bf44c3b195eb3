import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const EXAMPLE = join(ROOT, "examples/two-web-servers");

/** A copy of the example in a folder of its own, which the tour may change. */
export interface Project {
  readonly folder: string;
  /** Holds the stack's state and configuration. */
  readonly stateFolder: string;
  /** For whatever the commands keep from one run to the next. */
  readonly cacheFolder: string;
  /** Replaces the program by the example's second step. */
  changeToStep2(): void;
  remove(): void;
}

/** Copies the example; its packages are the workspace's. */
export function copyExample(): Project {
  const base = mkdtempSync(join(tmpdir(), "xennet-tour-"));
  const folder = join(base, "two-web-servers");
  const left = new Set(["node_modules", "step2", "README.md"]);
  cpSync(EXAMPLE, folder, { recursive: true, filter: (source) => !left.has(basename(source)) });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    stateFolder: join(base, "state"),
    cacheFolder: join(base, "cache"),
    changeToStep2: () => cpSync(join(EXAMPLE, "step2/index.ts"), join(folder, "index.ts")),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}
