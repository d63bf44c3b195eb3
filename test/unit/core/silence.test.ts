import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { XennetError } from "../../../provider/src/core/errors.ts";
import { Silence } from "../../../provider/src/core/silence.ts";

const silent = new XennetError("SSH_TIMEOUT", "no answer");

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

/** A silence, as it is after an attempt that took so long and failed. */
function after(ms: number, error: unknown): Silence {
  const silence = new Silence();
  const since = performance.now();
  vi.advanceTimersByTime(ms);
  silence.failed(error, since);
  return silence;
}

test("an attempt that cost its time-out decides for a minute, and then the next one tries anew", () => {
  const silence = after(20_000, silent);
  vi.advanceTimersByTime(59_000);
  expect(silence.failure).toBe(silent);
  vi.advanceTimersByTime(2000);
  expect(silence.failure).toBeUndefined();
});

test("what failed at once, or with a refusal, is tried again", () => {
  expect(after(100, silent).failure).toBeUndefined();
  expect(after(20_000, new XennetError("XAPI_AUTH_FAILED", "wrong password")).failure).toBeUndefined();
  expect(after(20_000, new Error("unexpected")).failure).toBeUndefined();
});

test("an answer ends it", () => {
  const silence = after(20_000, silent);
  silence.over();
  expect(silence.failure).toBeUndefined();
});
