import { defineConfig } from "vitest/config";

/** One project a level. They run one after the other, cheap ones first; lab, systemd and e2e share two cores with real daemons. */
const levels = {
  unit: { testTimeout: 30_000, maxWorkers: 2 },
  sim: { testTimeout: 60_000, maxWorkers: 2 },
  engine: { testTimeout: 120_000, hookTimeout: 60_000, maxConcurrency: 3 },
  lab: { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false },
  systemd: { testTimeout: 90_000, hookTimeout: 60_000, fileParallelism: false },
  e2e: { testTimeout: 240_000, hookTimeout: 120_000, fileParallelism: false },
};

export default defineConfig({
  test: {
    projects: Object.entries(levels).map(([name, options], groupOrder) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        environment: "node",
        retry: 0,
        sequence: { groupOrder },
        ...options,
      },
    })),
  },
});
