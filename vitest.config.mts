import { defineConfig } from "vitest/config";

/** What measures how long a host takes: nothing else runs beside it. */
const measured = ["test/lab/healing.test.ts", "test/lab/persistence.test.ts"];

/** One project a level. They run one after the other, cheap ones first. Labs share nothing, and mostly wait for daemons and for each other's answers. */
const levels = {
  unit: { testTimeout: 30_000, maxWorkers: 2 },
  sim: { testTimeout: 60_000, maxWorkers: 2 },
  engine: { testTimeout: 120_000, hookTimeout: 60_000, maxConcurrency: 3 },
  lab: { testTimeout: 120_000, hookTimeout: 120_000, exclude: measured, maxWorkers: 3 },
  "lab measured": { testTimeout: 60_000, hookTimeout: 60_000, include: measured, fileParallelism: false },
  systemd: { testTimeout: 90_000, hookTimeout: 60_000, fileParallelism: false },
  e2e: { testTimeout: 480_000, hookTimeout: 240_000, maxWorkers: 2 },
};

/**
 * The host program's whole suite, on what dom0s have: today's iptables; since XenServer 5.6 bash 3.2, whose manners
 * `bash --posix` has, and iptables 1.3.5; and on a shell, an awk and tools that know little beyond POSIX.
 */
const hostProgram = "test/lab/host-program/**/*.test.ts";
const boxes = [undefined, "bash 1.3.5", "busybox legacy"];

export default defineConfig({
  test: {
    projects: [
      ...Object.entries(levels).map(([name, options], groupOrder) =>
        project(groupOrder, { name, include: [`test/${name}/**/*.test.ts`], exclude: [hostProgram], ...options }),
      ),
      ...boxes.map((box) =>
        project(Object.keys(levels).length, {
          ...levels.lab,
          name: ["host-program", box].filter(Boolean).join(" "),
          include: [hostProgram],
          // It is about the shells itself.
          exclude: box === undefined ? [] : ["**/shells.test.ts"],
          env: box === undefined ? {} : { XENNET_BOX: box },
          testTimeout: 120_000,
          // Boxes share nothing and now and then wait, so one more than there are cores.
          fileParallelism: true,
          maxWorkers: 3,
          maxConcurrency: 3,
        }),
      ),
    ],
  },
});

function project<T extends object>(groupOrder: number, options: T) {
  return { test: { environment: "node" as const, retry: 0, sequence: { groupOrder }, ...options } };
}
