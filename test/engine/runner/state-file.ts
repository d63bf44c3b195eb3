import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ExportedDeployment } from "../engine.ts";

/** Where Pulumi's file backend keeps the state of a stack; the runner uses the same layout. */
export function stateFilePath(stateDir: string, project: string, stack: string): string {
  return join(stateDir, ".pulumi", "stacks", project, `${stack}.json`);
}

/** Makes the backend's folders unless they are there. */
export function initBackend(stateDir: string, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const meta = join(stateDir, ".pulumi", "meta.yaml");
  if (!existsSync(meta)) writeFileSync(meta, "version: 1\n");
}

/** The stored state, or nothing for a new stack. Any other content than a deployment is an error. */
export function readStateFile(file: string): ExportedDeployment | undefined {
  if (!existsSync(file)) return undefined;
  const { version, checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
    version?: number;
    checkpoint?: { latest?: ExportedDeployment["deployment"] };
  };
  if (version === undefined || checkpoint === undefined) {
    throw new Error(`${file} must hold a Pulumi checkpoint with "version" and "checkpoint".`);
  }
  return checkpoint.latest === undefined ? undefined : { version, deployment: checkpoint.latest };
}

/** Replaces the state in one move, so that a reader or a crash never sees half of it. */
export function writeStateFile(file: string, stack: string, exported: ExportedDeployment): void {
  const content = { version: exported.version, checkpoint: { stack, latest: exported.deployment } };
  const draft = `${file}.new`;
  writeFileSync(draft, JSON.stringify(content, undefined, 4), { mode: 0o600 });
  renameSync(draft, file);
}
