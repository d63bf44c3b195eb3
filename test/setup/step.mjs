import { spawnSync } from "node:child_process";

/** Why the set-up cannot go on, in words for whoever started it; no stack trace is shown. */
export class SetUpError extends Error {}

/** Runs one command of the set-up, with a line that says how long it took; its output is shown only when it fails. */
export function runStep(title, command, args, options = {}) {
  process.stdout.write(`· ${title} … `);
  const started = Date.now();
  // Synchronous, so that Ctrl-C ends the set-up at once.
  const result = spawnSync(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    ...options,
  });
  if (result.error === undefined && result.status === 0) {
    console.log(`${((Date.now() - started) / 1000).toFixed(1)} s`);
    return result.stdout;
  }
  console.log("failed");
  const reason = result.error?.message ?? result.signal ?? `status ${result.status}`;
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}`.trim();
  throw new SetUpError(`${output}\n\n${title} failed (${reason}): ${command} ${args.join(" ")}`);
}
