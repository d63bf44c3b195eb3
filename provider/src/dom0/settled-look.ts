import { XennetError } from "../core/errors";
import { awaitsConfirmation, HostBusyError } from "./host-busy";
import type { HostProgram } from "./host-program";
import type { Patience } from "./patience";
import type { HostSnapshot, PendingGeneration } from "./snapshot";
import type { LookObserver } from "./snapshot-cache";

/**
 * Looks at a host until nothing on it is pending: what is pending is neither there nor gone. It may be another run's, or that
 * of a run that is dead, whose change goes back by itself.
 */
export async function settledLook(
  program: HostProgram,
  patience: Patience,
  observer: LookObserver,
): Promise<HostSnapshot> {
  const wait = patience.begin();
  let seen: PendingGeneration | undefined;
  for (;;) {
    const known = await observer.asks();
    if (known !== undefined) return known;
    const found = await lookOnce(program);
    if (!(found instanceof HostBusyError)) {
      if (seen === undefined || (found.confirmed ?? 0) >= seen.generation) {
        patience.served();
        return found;
      }
      await sendBack(program, seen);
      seen = undefined;
      continue;
    }
    seen = found.pending ?? seen;
    if (patience.isOver(wait, found)) throw found;
    observer.waits();
    await patience.pause(wait, found);
  }
}

/** A settled host, or why it is none. */
async function lookOnce(program: HostProgram): Promise<HostSnapshot | HostBusyError> {
  try {
    const snapshot = await program.snapshot();
    return snapshot.pending === undefined ? snapshot : awaitsConfirmation(snapshot.pending);
  } catch (error) {
    if (error instanceof HostBusyError) return error;
    throw error;
  }
}

/** Its time is over, and nobody has confirmed it. The guard sees to that, but it may be dead, or not have come to it yet. */
async function sendBack(program: HostProgram, { generation }: PendingGeneration): Promise<void> {
  try {
    await program.revert(generation);
  } catch (error) {
    // Another run works there already, which settles this first; or nothing of ours is left.
    const isNothing = error instanceof XennetError && ["PROGRAM_ABSENT", "CONFIRMED"].includes(error.code);
    if (!isNothing && !(error instanceof HostBusyError)) throw error;
  }
}
