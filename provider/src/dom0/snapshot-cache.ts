import type { Clock } from "../core/clock";
import { HostBusyError } from "./host-busy";
import type { HostSnapshot } from "./snapshot";

/** However often it is used, a look at the host serves no longer. */
const longestMs = 20_000;

interface Taken {
  readonly since: number;
  used: number;
  readonly snapshot: HostSnapshot;
}

/** Told how a look goes on, which asks the host again and again while somebody works there. */
export interface LookObserver {
  /** Before the host is asked; where a change of this process was answered meanwhile, that is look enough. */
  asks(): Promise<HostSnapshot | undefined>;
  /** The answer was of no use; the host will be asked again. */
  waits(): void;
}

export interface SnapshotCacheOptions {
  readonly clock: Clock;
  readonly look: (observer: LookObserver) => Promise<HostSnapshot>;
  /** Resolves when no change of this process is under way; what it leaves on the host until then is not settled. */
  readonly ownChange: () => Promise<void>;
}

/** The newest snapshot of a settled host; looks at the same time are shared. */
export class SnapshotCache {
  readonly #options: SnapshotCacheOptions;
  #newest: Taken | undefined;
  /** `since`: when the host was asked; later than now while it is still to be asked. */
  #looking: { since: number; readonly answer: Promise<HostSnapshot> } | undefined;
  #replacements = 0;
  /** A wait for the host that was in vain serves like a look. */
  #inVain: { readonly since: number; used: number; readonly error: HostBusyError } | undefined;

  constructor(options: SnapshotCacheOptions) {
    this.#options = options;
  }

  /** The newest snapshot, however old. */
  get latest(): HostSnapshot | undefined {
    return this.#newest?.snapshot;
  }

  /**
   * A look that was taken or used at most so long ago, so that the checks of an up, and the reads of a refresh, which follow
   * each other, share one however many they are; 0 looks anew.
   */
  async get(maxAgeMs: number): Promise<HostSnapshot> {
    const now = this.#options.clock.now();
    const oldest = now - maxAgeMs;
    const newest = this.#newest;
    if (newest !== undefined && newest.used >= oldest && now - newest.since <= longestMs && maxAgeMs > 0) {
      newest.used = now;
      return newest.snapshot;
    }
    const inVain = this.#inVain;
    if (inVain !== undefined && inVain.used >= oldest && now - inVain.since <= longestMs && maxAgeMs > 0) {
      inVain.used = now;
      throw inVain.error;
    }
    const looking = this.#looking;
    if (looking !== undefined && (looking.since > now || (looking.since >= oldest && maxAgeMs > 0)))
      return looking.answer;
    return this.#lookAnew();
  }

  /** What a change has just returned; undefined forgets what is known. */
  replace(snapshot: HostSnapshot | undefined): void {
    const now = this.#options.clock.now();
    this.#replacements += 1;
    this.#inVain = undefined;
    // What is pending is for the change that made it, and for nobody else.
    const isSettled = snapshot !== undefined && snapshot.pending === undefined;
    this.#newest = isSettled ? { since: now, used: now, snapshot } : undefined;
  }

  async #lookAnew(): Promise<HostSnapshot> {
    const { clock, look, ownChange } = this.#options;
    const atFirst = this.#replacements;
    let replacements = atFirst;
    let since = Number.POSITIVE_INFINITY;
    const tell = (moment: number) => {
      since = moment;
      looking.since = moment;
    };
    const observer: LookObserver = {
      asks: async () => {
        await ownChange();
        replacements = this.#replacements;
        if (replacements !== atFirst && this.#newest !== undefined) return this.#newest.snapshot;
        tell(clock.now());
        return undefined;
      },
      waits: () => tell(Number.POSITIVE_INFINITY),
    };
    const looking = { since, answer: look(observer) };
    this.#looking = looking;
    try {
      const snapshot = await looking.answer;
      // A change that was answered meanwhile knows better than a look begun before it.
      if (this.#replacements !== replacements) return this.#newest?.snapshot ?? (await this.#lookAnew());
      if (since <= clock.now()) this.#newest = { since, used: clock.now(), snapshot };
      this.#inVain = undefined;
      return snapshot;
    } catch (error) {
      const now = clock.now();
      if (error instanceof HostBusyError) this.#inVain = { since: now, used: now, error };
      throw error;
    } finally {
      if (this.#looking === looking) this.#looking = undefined;
    }
  }
}
