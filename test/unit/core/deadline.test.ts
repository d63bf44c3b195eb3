import { expect, test } from "vitest";
import { withDeadline } from "../../../provider/src/core/deadline.ts";

const expired = () => new Error("too late");

test("work that ends in time gives its result, or its own error", async () => {
  expect(await withDeadline(1000, expired, async () => 7)).toBe(7);
  await expect(withDeadline(1000, expired, () => Promise.reject(new Error("own")))).rejects.toThrow("own");
});

test("work that does not end is told to let go, and the deadline is the answer", async () => {
  let told = false;
  const work = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        told = true;
        reject(new Error("aborted"));
      });
    });
  await expect(withDeadline(5, expired, work)).rejects.toThrow("too late");
  expect(told).toBe(true);
});
