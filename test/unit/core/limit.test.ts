import { expect, test } from "vitest";
import { Limit } from "../../../provider/src/core/limit.ts";

test("at most so many run at once, in the order they came, and a failure makes room", async () => {
  const limit = new Limit(2);
  const order: number[] = [];
  let [running, most] = [0, 0];
  const results = await Promise.allSettled(
    [0, 1, 2, 3, 4, 5].map((index) =>
      limit.run(async () => {
        order.push(index);
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        if (index % 2 === 0) throw new Error("even");
      }),
    ),
  );
  expect(most).toBe(2);
  expect(order).toStrictEqual([0, 1, 2, 3, 4, 5]);
  expect(results.map(({ status }) => status)).toStrictEqual(
    [0, 1, 2, 3, 4, 5].map((index) => (index % 2 === 0 ? "rejected" : "fulfilled")),
  );
});
