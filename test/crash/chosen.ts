import { spawnSync } from "node:child_process";

/**
 * `XENNET_CRASH=all` tries every class of points, `every` each single point; a number so many of each kind. `XENNET_CRASH_ONLY` is a
 * pattern for what is tried, as `destroy: provider killed in dom0`. The choice follows from the commit, so that a run can be repeated:
 * `XENNET_CRASH_SEED` makes another one, `random` a new one each time.
 */
const chosen = process.env["XENNET_CRASH"];

const isWhole = chosen === "all" || chosen === "every";

export const perKind = isWhole ? Number.POSITIVE_INFINITY : Number(chosen ?? 1);

/** Whether points that leave the same host stand for each other. */
export const byClass = chosen === "all";

/** `2/4` is the second quarter of what would be tried, for several machines or sittings. */
const [part = 1, parts = 1] = (process.env["XENNET_CRASH_PART"] ?? "").split("/").map((text) => Number(text || 1));

export const ofThisPart = <T>(all: readonly T[]): T[] => all.filter((_one, index) => index % parts === part - 1);

export const only = new RegExp(process.env["XENNET_CRASH_ONLY"] ?? "");

export const seed = seedOf(process.env["XENNET_CRASH_SEED"]);

/** Hosts side by side; a trial mostly waits. */
export const sideBySide = isWhole ? Number(process.env["XENNET_CRASH_HOSTS"] ?? 3) : 1;

/** For CI; whoever asks for more has the time. */
export const timeout = chosen === undefined ? 600_000 : 24 * 3_600_000;

/** So many of a list, one from each of as many equal parts, by a seeded choice; all where there are no more. */
export function spread<T>(all: readonly T[], count: number, seed: number): T[] {
  if (count >= all.length) return [...all];
  const random = randomFrom(seed);
  const width = all.length / count;
  return Array.from({ length: count }, (_none, part) => all[Math.floor((part + random()) * width)] as T);
}

/** The commit is the seed; without a repository it is always the same. */
function seedOf(given: string | undefined): number {
  if (given === "random") return Math.floor(Math.random() * 1e6);
  if (given !== undefined) return Number(given);
  const { stdout } = spawnSync("git", ["rev-parse", "HEAD"], { encoding: "utf8", cwd: import.meta.dirname });
  return Number.parseInt(/^[0-9a-f]{5}/.exec(stdout ?? "")?.[0] ?? "1", 16);
}

/** Mulberry32: the same numbers for the same seed, everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
