import { XennetError } from "../core/errors";
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

/** What a change that was answered as done lacks on the host; undefined when the look shows it. */
export function shortfall(change: FragmentChange, snapshot: HostSnapshot): string | undefined {
  if (change.op === "remove") {
    return isInForce(change, snapshot) ? undefined : "expected it to be gone, found it still declared";
  }
  const stored = snapshot.fragments.find(({ token }) => token === change.token);
  if (stored === undefined) return "expected its declaration, found none";
  if (stored.text !== change.text) return "expected its declaration as it was sent, found another text";
  const missing = missingOf(change, snapshot);
  return missing.length === 0 ? undefined : `expected all of it in force, found missing: ${missing.join("; ")}`;
}

/** What the host lacks of a fragment that is to be in force. Hooks and cron are not the change's own, and cannot always be had. */
export function missingOf(change: FragmentChange, snapshot: HostSnapshot): string[] {
  const stored = snapshot.fragments.find(({ token }) => token === change.token);
  if (change.op === "remove" || stored?.status !== "active" || snapshot.off) return [];
  return snapshot.missing
    .filter(({ token, what }) => token === change.token && !/^(hooks?|cron) /.test(what))
    .map(({ what }) => what);
}

/** The host's answer and the look that followed contradict each other. */
export function notSeen({ token, op }: FragmentChange, lack: string): XennetError {
  const done = op === "put" ? "put in force" : "taken away";
  return new XennetError(
    "CHANGE_NOT_SEEN",
    `The host answered that the declaration ${token} was ${done}, but a look at the host says otherwise: ${lack}. Does another tool change the firewall or the interfaces of dom0? \`xennet status\` there shows what is missing. Run the command again once that is settled.`,
    { facts: { token } },
  );
}
