import { XennetError } from "../core/errors";
import type { PendingGeneration } from "./snapshot";

/** The host is busy with somebody else's change: the lock of its program is held, or a generation awaits its confirmation. */
export class HostBusyError extends XennetError {
  /** What is waited for. */
  readonly reason: string;
  /** The generation that is waited for, where it is one. */
  readonly pending: PendingGeneration | undefined;

  /** `text` is the host's: a sentence, or `<generation> <seconds left>`. */
  constructor(code: string, text: string) {
    const [, generation, left] = /^(\d+) (\d+)$/.exec(text) ?? [];
    const reason =
      left === undefined
        ? text
        : `generation ${generation} of another run awaits its confirmation; unconfirmed, the host takes it back in ${left} s`;
    super(code, `The host is busy with another change: ${reason}. Run the command again when that one has ended.`);
    this.reason = reason;
    this.pending = left === undefined ? undefined : { generation: Number(generation), secondsLeft: Number(left) };
  }
}

/** What is pending is neither there nor gone, so nobody may go by it. */
export function awaitsConfirmation({ generation, secondsLeft }: PendingGeneration): HostBusyError {
  return new HostBusyError("PENDING", `${generation} ${secondsLeft}`);
}
