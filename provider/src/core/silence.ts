import { XennetError } from "./errors";

/** Codes which say that the host does not answer, as opposed to answering with a refusal. */
const silentCodes: ReadonlySet<string> = new Set([
  ...["XAPI_UNREACHABLE", "XAPI_TIMEOUT", "SSH_UNREACHABLE", "SSH_TIMEOUT"],
]);

/** True when an error says that a host did not answer. */
export function isSilence(error: unknown): boolean {
  return error instanceof XennetError && silentCodes.has(error.code);
}

/** An attempt that failed sooner may be made again: it costs nothing, and a host that starts refuses before it answers. */
const costlyMs = 3000;

/** How long one attempt decides for all that come after it; a change after a longer pause tries anew. */
const lastsMs = 60_000;

/**
 * What the last attempt to reach a host came to. One that swallows packets costs the whole time-out: it is paid once, and not by each
 * of fifty resources.
 */
export class Silence {
  #failure: { readonly error: XennetError; readonly at: number } | undefined;

  /** The failure of an attempt that decides for the next one as well. */
  get failure(): XennetError | undefined {
    if (this.#failure !== undefined && performance.now() - this.#failure.at > lastsMs) this.#failure = undefined;
    return this.#failure?.error;
  }

  /** Notes how an attempt that began at `since` (by `performance.now()`) failed. */
  failed(error: unknown, since: number): void {
    const at = performance.now();
    if (error instanceof XennetError && isSilence(error) && at - since >= costlyMs) this.#failure = { error, at };
  }

  /** The host has answered. */
  over(): void {
    this.#failure = undefined;
  }
}
