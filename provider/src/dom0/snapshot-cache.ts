import type { Clock } from "../core/clock";
import type { HostSnapshot } from "./snapshot";

/** However often it is used, a look at the host serves no longer. */
const longestMs = 20_000;

interface Taken {
  readonly since: number;
  used: number;
  readonly snapshot: HostSnapshot;
}

/** The newest snapshot of a host; looks at the same time are shared. */
export class SnapshotCache {
  readonly #clock: Clock;
  readonly #look: () => Promise<HostSnapshot>;
  #newest: Taken | undefined;
  #looking: { readonly since: number; readonly answer: Promise<HostSnapshot> } | undefined;
  #replacedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, look: () => Promise<HostSnapshot>) {
    this.#clock = clock;
    this.#look = look;
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
    const now = this.#clock.now();
    const oldest = now - maxAgeMs;
    const newest = this.#newest;
    if (newest !== undefined && newest.used >= oldest && now - newest.since <= longestMs && maxAgeMs > 0) {
      newest.used = now;
      return newest.snapshot;
    }
    if (this.#looking !== undefined && this.#looking.since >= oldest && maxAgeMs > 0) return this.#looking.answer;
    return this.#lookAnew();
  }

  /** What a change has just returned; undefined forgets what is known. */
  replace(snapshot: HostSnapshot | undefined): void {
    this.#replacedAt = this.#clock.now();
    this.#newest = snapshot === undefined ? undefined : { since: this.#replacedAt, used: this.#replacedAt, snapshot };
  }

  async #lookAnew(): Promise<HostSnapshot> {
    const since = this.#clock.now();
    const answer = this.#look();
    const looking = { since, answer };
    this.#looking = looking;
    try {
      const snapshot = await answer;
      // A change that was answered meanwhile knows better than a look begun before it.
      if (this.#replacedAt > since) return this.#newest?.snapshot ?? (await this.#lookAnew());
      this.#newest = { since, used: this.#clock.now(), snapshot };
      return snapshot;
    } finally {
      if (this.#looking === looking) this.#looking = undefined;
    }
  }
}
