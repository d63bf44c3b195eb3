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

/** The host program's whole suite again, on dom0s since XenServer 5.6: bash 3.2's behaviour as `bash --posix` has it, iptables 1.3.5. */
const oldHosts = ["bash 1.3.5"];

export default defineConfig({
  test: {
    projects: [
      ...Object.entries(levels).map(([name, options], groupOrder) =>
        project(groupOrder, { name, include: [`test/${name}/**/*.test.ts`], ...options }),
      ),
      ...oldHosts.map((box, place) =>
        project(Object.keys(levels).length + place, {
          ...levels.lab,
          name: `host-program ${box}`,
          include: ["test/lab/host-program/**/*.test.ts"],
          exclude: ["**/shells.test.ts"],
          env: { XENNET_BOX: box },
          // Each call of this iptables is a script of its own.
          testTimeout: 120_000,
          // Boxes share nothing, and mostly wait.
          fileParallelism: true,
          maxWorkers: 2,
        }),
      ),
    ],
  },
});

function project<T extends object>(groupOrder: number, options: T) {
  return { test: { environment: "node" as const, retry: 0, sequence: { groupOrder }, ...options } };
}
