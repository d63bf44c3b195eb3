import { withDeadline } from "../../core/deadline";
import { XennetError } from "../../core/errors";
import type { HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { describeOwner } from "../../rules/owner";
import type { Props } from "../handler";
import { textOf } from "../props";
import { isEnabled, protocolOf, targetPortsOf } from "./port-forward-spec";

/** A guest on the host's own bridge answers within milliseconds, or not at all. */
const patienceMs = 1000;

/**
 * dom0 tries the first forwarded port of the target once: what the guest's administrator has to do is not known here, only
 * that it was not done. A network without a bridge has no running guest, which is no mistake.
 */
export async function probeGuest(
  host: HostContext,
  inputs: Props,
  networkUuid: string,
  snapshot: HostSnapshot,
): Promise<void> {
  const [target, ports] = [textOf(inputs, "target"), targetPortsOf(inputs)];
  const isPresent = snapshot.bridges.some((bridge) => bridge.network === networkUuid && bridge.present);
  const canTell = isPresent && !snapshot.off && isEnabled(inputs) && protocolOf(inputs) !== "udp";
  if (!canTell || target === undefined || ports === undefined) return;
  if (await answers(host, target, ports.from)) return;
  // Without address and port, which may be secret.
  host.warn(
    `${describeOwner(textOf(inputs, "owner") ?? "")} is in force, but the guest does not answer: check its address, default route and firewall, and that its service runs.`,
  );
}

/** False when the connection fails; where the SSH server opens none, nobody can tell. */
async function answers(host: HostContext, target: string, port: number): Promise<boolean> {
  try {
    const late = () => new Error("no answer");
    const channel = await withDeadline(patienceMs, late, (signal) => host.dom0.forward(target, port, signal));
    channel.destroy();
    return true;
  } catch (error) {
    return error instanceof XennetError;
  }
}
