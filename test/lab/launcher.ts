import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 500;

/**
 * Resolves when what launched this process is gone: npm, its shell and tsx stand between a user and the lab, and none
 * of them passes on that it was killed.
 */
export function launcherGone(): Promise<void> {
  // npm run → sh -c → tsx → this process.
  const launchers = ancestors(process.env["npm_lifecycle_event"] === undefined ? 1 : 3);
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (ancestors(launchers.length).join() === launchers.join()) return;
      clearInterval(timer);
      resolve();
    }, LOOK_EVERY_MS);
    timer.unref();
  });
}

function ancestors(count: number): number[] {
  const pids = [process.ppid];
  while (pids.length < count && (pids.at(-1) ?? 1) > 1) pids.push(parentOf(pids.at(-1) ?? 1));
  return pids;
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 1;
  }
}
