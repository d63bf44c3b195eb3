import { defineConfig } from "vitest/config";

const level = (name: string, extra = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], environment: "node", retry: 0, ...extra },
});

// One project a level. Lab and e2e share two cores with real daemons, so their files run one after the other.
export default defineConfig({
  test: {
    projects: [
      level("unit"),
      level("sim", { testTimeout: 20_000 }),
      level("engine", { testTimeout: 60_000 }),
      level("lab", { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false }),
      level("e2e", { testTimeout: 180_000, hookTimeout: 120_000, fileParallelism: false }),
    ],
  },
});
