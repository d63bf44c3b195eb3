/**
 * `XENNET_CRASH=all` tries every point; a number so many of each kind. `XENNET_CRASH_ONLY` is a pattern for what is tried,
 * as `destroy: provider killed in dom0`; `XENNET_CRASH_SEED` repeats a choice.
 */
const chosen = process.env["XENNET_CRASH"];

export const perKind = chosen === "all" ? Number.POSITIVE_INFINITY : Number(chosen ?? 1);

export const only = new RegExp(process.env["XENNET_CRASH_ONLY"] ?? "");

export const seed = Number(process.env["XENNET_CRASH_SEED"] ?? Math.floor(Math.random() * 1e6));

/** For CI; whoever asks for more has the time. */
export const timeout = chosen === undefined ? 300_000 : 24 * 3_600_000;
