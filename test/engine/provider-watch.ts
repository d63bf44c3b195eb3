import { readdirSync, readFileSync } from "node:fs";
import type { RunOptions, SpawnedProcess } from "./engine.ts";

const POLL_MS = 20;

/** Finds the program and provider processes that a real engine starts, since it does not tell. Linux only. */
export class ProviderWatch {
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #told = new Set<number>();

  constructor(enginePid: number | undefined, onSpawn: RunOptions["onSpawn"]) {
    if (enginePid === undefined || onSpawn === undefined) return;
    onSpawn({ kind: "engine", pid: enginePid });
    this.#timer = setInterval(() => {
      for (const found of descendantsOf(enginePid)) {
        if (this.#told.has(found.pid)) continue;
        this.#told.add(found.pid);
        onSpawn(found);
      }
    }, POLL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function descendantsOf(root: number): SpawnedProcess[] {
  const parents = new Map(runningPids().map((pid) => [pid, parentOf(pid)]));
  const isDescendant = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === root || isDescendant(parent));
  };
  return [...parents.keys()].filter(isDescendant).flatMap((pid) => {
    const kind = kindOf(pid);
    return kind === undefined ? [] : [{ kind, pid }];
  });
}

function runningPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number | undefined {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The command's name, in parentheses, may hold spaces: the parent is the second field after the last one.
  const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
  return parent === undefined ? undefined : Number(parent);
}

function kindOf(pid: number): SpawnedProcess["kind"] | undefined {
  const [command = "", script = ""] = readOrEmpty(`/proc/${pid}/cmdline`).split("\0");
  if (!command.endsWith("node")) return undefined;
  if (script.includes("@pulumi/pulumi/cmd/dynamic-provider")) return "provider";
  return script.includes("@pulumi/pulumi/cmd/run") ? "program" : undefined;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // The process ended while it was looked at.
    return "";
  }
}
