import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly problems: readonly string[];
}
// Plain JavaScript: it runs before the packages are there.
interface ReportModule {
  readReport(file: string, options: { all: boolean; needsSystemd: boolean }): Summary;
  readLeftOut(file: string): string[];
}
const { readReport, readLeftOut }: ReportModule = await import(join(root, "test/setup/report.mjs"));

/** Reads a report in which each level has tests of these statuses. */
function read(levels: Readonly<Record<string, readonly string[]>>, needsSystemd: boolean, all = true): Summary {
  const folder = mkdtempSync(join(tmpdir(), "xennet-report-"));
  try {
    const testResults = Object.entries(levels).map(([level, statuses]) => ({
      name: join(root, "test", level, "some.test.ts"),
      status: "passed",
      assertionResults: statuses.map((status) => ({ status })),
    }));
    const file = join(folder, "report.json");
    writeFileSync(file, JSON.stringify({ testResults }));
    return readReport(file, { all, needsSystemd });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const fine = {
  ...{ unit: ["passed", "skipped"], sim: ["passed"], lab: ["passed", "passed"], crash: ["passed"] },
  ...{ "long-run": ["passed"], e2e: ["passed"] },
};

test("a run of which all that matters ran has no problem, whatever else was skipped", () => {
  expect(read({ ...fine, systemd: ["passed"] }, true)).toEqual({ passed: 8, failed: 0, skipped: 1, problems: [] });
  expect(read({ ...fine, systemd: ["skipped"] }, false)).toEqual({ passed: 7, failed: 0, skipped: 2, problems: [] });
});

test.each([
  ["lab", { ...fine, lab: ["passed", "skipped"] }, false, "1 of 2 lab tests were skipped"],
  ["sim", { ...fine, sim: [] }, false, "no sim test ran"],
  ["crash", { ...fine, crash: [] }, false, "no crash test ran"],
  ["long-run", { ...fine, "long-run": ["skipped"] }, false, "1 of 1 long-run tests were skipped"],
  ["systemd where it can run", { ...fine, systemd: ["skipped", "pending"] }, true, "2 of 2 systemd tests were skipped"],
  ["systemd where it can run, and was left out", fine, true, "no systemd test ran"],
])("a run without tests of %s is worth nothing", (_level, levels, needsSystemd, problem) => {
  expect(read(levels, needsSystemd).problems).toEqual([problem]);
});

test("a run of the main legs has none of the long levels, and is worth nothing without the others", () => {
  const main = { unit: ["passed"], sim: ["passed"], lab: ["passed"], e2e: ["passed"] };
  expect(read(main, true, false).problems).toEqual([]);
  const skipping = { ...main, lab: ["skipped"], e2e: [] };
  expect(read(skipping, true, false).problems).toEqual(["1 of 1 lab tests were skipped", "no e2e test ran"]);
});

test("what was left out is counted by name, the most frequent first", () => {
  const folder = mkdtempSync(join(tmpdir(), "xennet-report-"));
  try {
    const file = join(folder, "left-out");
    expect(readLeftOut(file)).toEqual([]);
    writeFileSync(file, "crash\nnft\nnft\n");
    expect(readLeftOut(file)).toEqual(["Left out 3 legs; `npm run test:all` runs them too: nft 2x, crash."]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("vitest that ended without a report has failed", () => {
  expect(readReport("/nonexistent", { all: true, needsSystemd: false })).toMatchObject({ failed: 1, passed: 0 });
});
