import { XennetError } from "../core/errors";
import type { FragmentChange } from "./fragment-change";
import type { HostProgram } from "./host-program";
import type { Patience } from "./patience";
import type { HostSnapshot } from "./snapshot";
import { isInForce } from "./traces";

/** With the usual half second between them: the host heals within 2 s of an event, a busy one later. */
const MOST_LOOKS = 12;

/**
 * The look that came with an answer, or a later one: another tool may have met the change, or a bridge come right after it, and
 * what the host heals by itself is no failure.
 */
export async function healedLook(
  changes: readonly FragmentChange[],
  answered: HostSnapshot,
  program: HostProgram,
  patience: Patience,
): Promise<HostSnapshot> {
  let snapshot = answered;
  try {
    for (let looks = 1; looks < MOST_LOOKS; looks += 1) {
      if (changes.every((change) => missingOf(change, snapshot).length === 0)) break;
      await patience.rest();
      snapshot = await program.snapshot();
    }
  } catch {
    // The last look that there is decides.
  }
  return snapshot;
}

/** What a change that was answered as done, or is declared, lacks on the host; undefined when the look shows it made. */
export function shortfall(change: FragmentChange, snapshot: HostSnapshot): string | undefined {
  if (change.op === "remove") {
    if (!isInForce(change, snapshot)) return "expected it to be gone, found it still declared";
    const [rule] = missingOf(change, snapshot);
    return rule === undefined ? undefined : `expected it to be gone, found ${rule} still in force`;
  }
  const stored = snapshot.fragments.find(({ token }) => token === change.token);
  if (stored === undefined) return "expected its declaration, found none";
  if (stored.text !== change.text) return "expected its declaration as it was sent, found another text";
  const missing = missingOf(change, snapshot);
  return missing.length === 0 ? undefined : `expected all of it in force, found missing: ${missing.join("; ")}`;
}

/** What the host lacks of a change: of a fragment that is to be in force, or rules that are to be gone. Hooks and cron are not the change's own, and cannot always be had. */
function missingOf(change: FragmentChange, snapshot: HostSnapshot): string[] {
  const stored = snapshot.fragments.find(({ token }) => token === change.token);
  if (stored === undefined && change.op === "remove") {
    const comment = new RegExp(`--comment "?xennet-${change.token}\\b`);
    return snapshot.live.filter(({ line }) => comment.test(line)).map(({ table, line }) => `rule ${table} ${line}`);
  }
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
