/** Runs at most `most` pieces of work at once; the others wait in the order they came. */
export class Limit {
  readonly #most: number;
  readonly #waiting: Array<() => void> = [];
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Waits for a place, runs `work` in it, and passes the place on. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
