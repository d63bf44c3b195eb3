import { environmentOverride } from "../core/settings";
import { setCommand, settingName } from "./profile-keys";

/** Seconds until dom0 takes back a change that nobody confirmed, where the profile does not say. */
export const usualWindow = 30;

/** What a profile can say, in seconds: a fresh login and a XAPI call have to fit, and nobody wants to be locked out for longer. */
export const windowRange = { shortest: 10, longest: 300 };

/**
 * Why changes of dom0 are refused while high availability is on: a change that cuts a host off is taken back after the
 * window only, and a host that does not answer for HA's time-out is fenced, its VMs with it.
 */
export function confirmationWindowProblem(
  profile: string,
  seconds: number,
  haTimeout: number | undefined,
): string | undefined {
  if (haTimeout === undefined || seconds * 3 <= haTimeout) return undefined;
  const most = Math.floor(haTimeout / 3);
  const key = "confirmationWindow";
  const remedy =
    most < windowRange.shortest
      ? `That is too short for a confirmation, which needs ${windowRange.shortest} s: raise the time-out to ${windowRange.shortest * 3} s or more (xe pool-ha-enable ha-config:timeout=…), or switch high availability off for the change`
      : `Run "${setCommand(profile, key)} ${most}", or set ${environmentOverride(profile, key)} in the environment`;
  return `expected ${settingName(profile, key)} of ${most} s at most, a third of the time-out (${haTimeout} s) after which the pool's high availability would fence a host that a change cuts off; found ${seconds} s. ${remedy}`;
}
