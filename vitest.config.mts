import { defineConfig } from "vitest/config";
import { leftOut, legs } from "./test/support/legs.ts";

/** What measures how long a host takes: nothing else runs beside it. */
const measured = ["test/lab/healing.test.ts", "test/lab/persistence.test.ts"];

/** A dom0 in miniature for each test of the host program. */
const hostProgram = "test/lab/host-program/**/*.test.ts";

/** The simulator's lifecycles on the other releases, a file each. */
const otherLifecycles = leftOut(
  ...["xcp-ng-8.2", "xenserver-6.2", "xenserver-5.6"].map((name) => `test/sim/lifecycle/${name}.test.ts`),
);

/** The whole path of a stack, and what happens on its way. */
const endToEnd = legs("test/e2e/{two-web-servers,recipe}.test.ts", "test/e2e/!(two-web-servers|recipe).test.ts");

/** One project a level. They run one after the other, cheap ones first. Labs share nothing, and mostly wait for daemons and for each other's answers. */
const levels = {
  unit: { testTimeout: 30_000, maxWorkers: 2 },
  sim: { testTimeout: 60_000, exclude: [...otherLifecycles], maxWorkers: 2 },
  engine: { testTimeout: 120_000, hookTimeout: 60_000, maxConcurrency: 3 },
  lab: { testTimeout: 120_000, hookTimeout: 120_000, exclude: [...measured, hostProgram], maxWorkers: 3 },
  "lab measured": { testTimeout: 60_000, hookTimeout: 60_000, include: measured, fileParallelism: false },
  systemd: { testTimeout: 90_000, hookTimeout: 60_000, fileParallelism: false },
  crash: { testTimeout: 300_000, hookTimeout: 60_000, maxWorkers: 2, maxConcurrency: 3 },
  "long-run": { testTimeout: 900_000, fileParallelism: false },
  e2e: { testTimeout: 480_000, hookTimeout: 240_000, include: endToEnd, maxWorkers: 2 },
};

/**
 * What dom0s have; the host program's whole suite runs on each: today's iptables; since XenServer 5.6 bash 3.2, whose manners
 * `bash --posix` has, iptables 1.3.5 and CentOS's awk, gawk, which here says when a value is read that nobody set; and a shell, an awk and tools that know little beyond POSIX.
 */
const boxes = [undefined, "bash 1.3.5 lint", "busybox legacy"];

const nameOf = (box: string | undefined) => ["host-program", box].filter(Boolean).join(" ");

/** Levels and boxes that only `npm run test:all` runs. */
const left: readonly string[] = leftOut(
  ...["engine", "lab measured", "systemd", "crash", "long-run", ...boxes.slice(1).map(nameOf)],
);

export default defineConfig({
  test: {
    projects: [
      ...Object.entries(levels).map(([name, options], groupOrder) =>
        project(groupOrder, { name, include: [`test/${name}/**/*.test.ts`], ...options }),
      ),
      ...boxes.map((box) =>
        project(Object.keys(levels).length, {
          name: nameOf(box),
          include: [hostProgram],
          // It is about the shells itself.
          exclude: box === undefined ? [] : ["**/shells.test.ts"],
          env: box === undefined ? {} : { XENNET_BOX: box },
          ...{ testTimeout: 120_000, hookTimeout: 60_000 },
          // Boxes share nothing and now and then wait, so one more than there are cores.
          ...{ maxWorkers: 3, maxConcurrency: 3 },
        }),
      ),
    ].filter(({ test }) => !left.includes(test.name)),
  },
});

function project<T extends { name: string }>(groupOrder: number, options: T) {
  return { test: { environment: "node" as const, retry: 0, sequence: { groupOrder }, ...options } };
}
