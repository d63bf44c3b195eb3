import { quoted } from "../../core/foreign-text";
import type { HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { describeOwner } from "../../rules/owner";
import { fragmentOf } from "./stored-fragments";

/** What on the host keeps declarations from being in force, or from staying so, and is for its administrator to change. */
export function warnOfHost(host: HostContext, snapshot: HostSnapshot): void {
  if (snapshot.off) {
    host.warn(
      "`xennet off` is in force on this host: what stacks declare there is stored only, until `xennet on` at its console.",
    );
  }
  const found = new Set(snapshot.missing.map(({ what }) => what));
  for (const [what, remedy] of cronRemedies) {
    if (found.has(what))
      host.warn(`On this host ${what}, so nothing puts back every minute what others change there. ${remedy}`);
  }
}

/** What the host program says of a cron that does not call it, and what only the administrator does about it. */
const cronRemedies = [
  ["cron is not running", "No up starts it: log in to dom0 and run `service crond start`."],
  ["cron is not started at boot", "No up changes that: log in to dom0 and run `chkconfig crond on`."],
] as const;

/** A bridge that is not there yet is no reason to wait; a role that cannot be resolved is one, and somebody must know. */
export function warnWhenWaiting(host: HostContext, snapshot: HostSnapshot, token: string): void {
  const stored = snapshot.fragments.find((fragment) => fragment.token === token);
  if (stored?.status !== "waiting") return;
  const name = fragmentOf(stored)?.owner ?? token;
  host.warn(
    `${describeOwner(name)} is stored on the host, but waits: the host cannot resolve its bridge or external interface yet, or iptables refuses its rules. \`xennet status\` at its console says which.`,
  );
}

/** With its last declaration the host is given back, but for what somebody put in the way. */
export function warnOfLeft(host: HostContext, { left }: HostSnapshot): void {
  if (left.length === 0) return;
  const list = left.map(quoted).join(", ");
  host.warn(
    `Nothing is declared on this host any more, but it is not quite as it was: ${list} could not be taken away. Is a disk of dom0 full or read-only, or does something else lie there? Log in to dom0 and remove what is ours of it by hand: docs/host-program.md says what that is.`,
  );
}
