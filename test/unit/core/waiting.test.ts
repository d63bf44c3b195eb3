import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { registerSecret } from "../../../provider/src/core/redact.ts";
import { type Teller, tellWaitingTo, whileWaiting } from "../../../provider/src/core/waiting.ts";

let said: string[] = [];
let before: Teller;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  said = [];
  before = tellWaitingTo((line) => said.push(line));
});

afterEach(() => {
  tellWaitingTo(before);
  vi.useRealTimers();
});

test("after ten seconds a line says for what, and again every thirty", async () => {
  const { promise, resolve } = withResolvers<number>();
  const waiting = whileWaiting("the SSH login at 192.0.2.7:22", promise);
  await vi.advanceTimersByTimeAsync(9_900);
  expect(said).toEqual([]);
  await vi.advanceTimersByTimeAsync(30_200);
  expect(said).toEqual([
    "Still waiting for the SSH login at 192.0.2.7:22 (10 s so far).",
    "Still waiting for the SSH login at 192.0.2.7:22 (40 s so far).",
  ]);
  resolve(7);
  expect(await waiting).toBe(7);
  await vi.advanceTimersByTimeAsync(100_000);
  expect(said).toHaveLength(2);
});

test("fifty that wait for the same thing say it once, and the next wait says it again", async () => {
  for (let round = 1; round <= 2; round += 1) {
    const { promise, reject } = withResolvers<never>();
    const all = Promise.allSettled(Array.from({ length: 50 }, () => whileWaiting("XAPI", promise)));
    await vi.advanceTimersByTimeAsync(11_000);
    expect(said).toHaveLength(round);
    reject(new Error("no"));
    expect((await all).every(({ status }) => status === "rejected")).toBe(true);
  }
});

test("neither a secret nor a control character gets into the line", async () => {
  registerSecret("hunter2-hunter2");
  const waiting = whileWaiting("the host \u001b[31mhunter2-hunter2\u202e", withResolvers<void>().promise);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(said).toEqual(["Still waiting for the host \\u001b[31m[secret]\\u202e (10 s so far)."]);
  void waiting;
});

/** Node 22 has it as a method of `Promise`. */
function withResolvers<T>() {
  let settle: { resolve: (value: T) => void; reject: (reason: Error) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, resolve: (value: T) => settle?.resolve(value), reject: (reason: Error) => settle?.reject(reason) };
}
