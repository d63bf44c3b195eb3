import { expect } from "vitest";

/** A machine that runs nothing of ours for longer than this stands still. */
const STALL_MS = 100;
const TICK_MS = 20;

interface Recovery {
  readonly title: string;
  /** How long the host may take, not counting the time in which the whole machine stood still. */
  readonly limitMs: number;
  /** `guest` is the good answer. */
  ask(): Promise<string>;
  /** What the host looks like, for the message of a failure. */
  describe(): Promise<string>;
}

/** Milliseconds until the first good answer, printed; more than the limit is an error that shows the host. */
export async function expectRecovery({ title, limitMs, ask, describe }: Recovery): Promise<number> {
  const stalls = watchStalls();
  const from = performance.now();
  const took = () => Math.round(performance.now() - from);
  try {
    let last = await ask();
    while (last !== "guest" && took() - stalls.ms() <= limitMs) last = await ask();
    const [ms, stalled] = [took(), stalls.ms()];
    console.log(
      `${title}: good answer after ${ms} ms${stalled > 0 ? `, of which the machine stood still ${stalled} ms` : ""}`,
    );
    const inTime = ms - stalled <= limitMs;
    const shown = last === "guest" && inTime ? "" : await describe();
    expect({ last, inTime, shown }, title).toEqual({ last: "guest", inTime: true, shown: "" });
    return ms;
  } finally {
    stalls.stop();
  }
}

/** A virtual machine gets no time now and then; then this process does not get any either. */
function watchStalls() {
  let [stalled, last] = [0, performance.now()];
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - last > STALL_MS) stalled += now - last - TICK_MS;
    last = now;
  }, TICK_MS);
  return { ms: () => Math.round(stalled), stop: () => clearInterval(timer) };
}
