import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { leftOut, legs } from "../../support/legs.ts";

let folder: string;
const written = () => readFileSync(join(folder, "left-out"), "utf8");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "xennet-legs-"));
  vi.stubEnv("XENNET_LEFT_OUT", join(folder, "left-out"));
  vi.stubEnv("XENNET_TESTS", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test("the first leg runs, and the others are written down by name, a line each", () => {
  expect(legs("legacy", "nft", "1.3.5")).toEqual(["legacy"]);
  expect(legs(["old", {}], ["older", {}])).toEqual([["old", {}]]);
  expect(legs({ label: "runner" }, { label: "real engine" })).toEqual([{ label: "runner" }]);
  expect(legs({ name: "root" }, { name: "an ordinary user" })).toEqual([{ name: "root" }]);
  expect(written()).toBe("nft\n1.3.5\nolder\nreal engine\nan ordinary user\n");
});

test("XENNET_TESTS=all runs all legs and leaves out none", () => {
  vi.stubEnv("XENNET_TESTS", "all");
  expect(legs("legacy", "nft")).toEqual(["legacy", "nft"]);
  expect(leftOut("crash")).toEqual([]);
  expect(written).toThrow("ENOENT");
});

test("any other value than all is no reason to run more", () => {
  vi.stubEnv("XENNET_TESTS", "1");
  expect(legs("legacy", "nft")).toEqual(["legacy"]);
  expect(leftOut("crash", "systemd")).toEqual(["crash", "systemd"]);
  expect(written()).toBe("nft\ncrash\nsystemd\n");
});

test("where nobody counts, nothing is written", () => {
  vi.stubEnv("XENNET_LEFT_OUT", undefined);
  expect(legs("legacy", "nft")).toEqual(["legacy"]);
  expect(written).toThrow("ENOENT");
});
