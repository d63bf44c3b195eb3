import type { FragmentChange } from "./fragment-change";
import type { HostSnapshot } from "./snapshot";

/** Whether the host's effective generation is as the change wants it. */
export function isInForce(change: FragmentChange, snapshot: HostSnapshot): boolean {
  const stored = snapshot.fragments.find(({ token }) => token === change.token);
  if (change.op === "put") return stored?.text === change.text;
  return stored === undefined || !stored.text.includes(`\nincarnation ${change.incarnation}\n`);
}

/**
 * Whether the pending generation was written by a transaction with this change, and by no other process's: the serial
 * says so of a fragment put; a removal shows only against what the host held before.
 */
export function wroteGeneration(
  change: FragmentChange,
  snapshot: HostSnapshot,
  before: HostSnapshot | undefined,
): boolean {
  if (snapshot.pending === undefined || !isInForce(change, snapshot)) return false;
  if (change.op === "remove") return before !== undefined && !isInForce(change, before);
  const stored = snapshot.fragments.find(({ token }) => token === change.token);
  return stored?.serial === snapshot.pending.generation;
}
