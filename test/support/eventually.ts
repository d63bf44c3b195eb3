import { setTimeout as delay } from "node:timers/promises";

/** Polls until `check` no longer throws, at most for `withinMs`; then its last error is thrown. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 3000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= deadline) throw error;
    }
    await delay(10);
  }
}
