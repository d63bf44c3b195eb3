import { defineConfig } from "vitest/config";

/** What measures how long a host takes: nothing else runs beside it. */
const measured = ["test/lab/healing.test.ts", "test/lab/persistence.test.ts"];

/** A dom0 in miniature for each test of the host program. */
const hostProgram = "test/lab/host-program/**/*.test.ts";

/** One project a level. They run one after the other, cheap ones first. Labs share nothing, and mostly wait for daemons and for each other's answers. */
const levels = {
  unit: { testTimeout: 30_000, maxWorkers: 2 },
  sim: { testTimeout: 60_000, maxWorkers: 2 },
  engine: { testTimeout: 120_000, hookTimeout: 60_000, maxConcurrency: 3 },
  lab: { testTimeout: 120_000, hookTimeout: 120_000, exclude: [...measured, hostProgram], maxWorkers: 3 },
  "lab measured": { testTimeout: 60_000, hookTimeout: 60_000, include: measured, fileParallelism: false },
  systemd: { testTimeout: 90_000, hookTimeout: 60_000, fileParallelism: false },
  crash: { testTimeout: 300_000, hookTimeout: 60_000, maxWorkers: 2, maxConcurrency: 3 },
  "long-run": { testTimeout: 900_000, fileParallelism: false },
  e2e: { testTimeout: 480_000, hookTimeout: 240_000, maxWorkers: 2 },
};

/**
 * What dom0s have; the host program's whole suite runs on each: today's iptables; since XenServer 5.6 bash 3.2, whose manners
 * `bash --posix` has, iptables 1.3.5 and CentOS's awk, gawk, which here says when a value is read that nobody set; and a shell, an awk and tools that know little beyond POSIX.
 */
const boxes = [undefined, "bash 1.3.5 lint", "busybox legacy"];

export default defineConfig({
  test: {
    projects: [
      ...Object.entries(levels).map(([name, options], groupOrder) =>
        project(groupOrder, { name, include: [`test/${name}/**/*.test.ts`], ...options }),
      ),
      ...boxes.map((box) =>
        project(Object.keys(levels).length, {
          name: ["host-program", box].filter(Boolean).join(" "),
          include: [hostProgram],
          // It is about the shells itself.
          exclude: box === undefined ? [] : ["**/shells.test.ts"],
          env: box === undefined ? {} : { XENNET_BOX: box },
          ...{ testTimeout: 120_000, hookTimeout: 60_000 },
          // Boxes share nothing and now and then wait, so one more than there are cores.
          ...{ maxWorkers: 3, maxConcurrency: 3 },
        }),
      ),
    ],
  },
});

function project<T extends object>(groupOrder: number, options: T) {
  return { test: { environment: "node" as const, retry: 0, sequence: { groupOrder }, ...options } };
}
