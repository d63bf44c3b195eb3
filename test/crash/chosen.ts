/**
 * `XENNET_CRASH=all` tries every point; a number so many of each kind. `XENNET_CRASH_ONLY` is a pattern for what is tried,
 * as `destroy: provider killed in dom0`; `XENNET_CRASH_SEED` repeats a choice.
 */
const chosen = process.env["XENNET_CRASH"];

export const perKind = chosen === "all" ? Number.POSITIVE_INFINITY : Number(chosen ?? 1);

export const only = new RegExp(process.env["XENNET_CRASH_ONLY"] ?? "");

export const seed = Number(process.env["XENNET_CRASH_SEED"] ?? Math.floor(Math.random() * 1e6));

/** For CI; whoever asks for more has the time. */
export const timeout = chosen === undefined ? 600_000 : 24 * 3_600_000;

/** So many of a list, one from each of as many equal parts, by a seeded choice; all where there are no more. */
export function spread<T>(all: readonly T[], count: number, seed: number): T[] {
  if (count >= all.length) return [...all];
  const random = randomFrom(seed);
  const width = all.length / count;
  return Array.from({ length: count }, (_none, part) => all[Math.floor((part + random()) * width)] as T);
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
