import { runtime } from "./runtime";

/** What Pulumi gives a provider process to end is 5 s; ours is ready before. */
const mostMs = 3000;

let installed = false;

/**
 * Makes the provider process end in order: on SIGINT or SIGTERM (the engine is done, or the user pressed Ctrl-C) and on the
 * end of stdin (the engine was killed) what is unconfirmed is rolled back, sessions are closed, and the process exits.
 * Nothing relies on it: the host goes back by itself, and the next `up` converges.
 */
export function installProcessEnd(): void {
  if (installed) return;
  installed = true;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void end());
  process.stdin.on("end", () => void end());
  process.stdin.on("error", () => void end());
  process.stdin.resume();
}

let ending = false;

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  setTimeout(() => process.exit(0), mostMs).unref();
  await runtime.close();
  process.exit(0);
}
