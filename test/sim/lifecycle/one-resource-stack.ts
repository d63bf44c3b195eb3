import { expect } from "vitest";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import type { Host } from "../../../provider/src/hosts/host.ts";
import type { PoolUnderTest } from "../handlers/pool-under-test.ts";

interface Recorded {
  readonly id: string;
  readonly inputs: Props;
  readonly outs: Props;
  /** The create failed half-way: whatever diff says, the next up calls update. */
  readonly isHalfMade?: true;
}

/**
 * A stack with one resource: calls the handler in the engine's order and keeps what the engine would keep. Each command is
 * a process of its own, which remembers nothing of the earlier ones.
 */
export class OneResourceStack {
  readonly pool: PoolUnderTest;
  readonly #handler: Handler;
  /** As the state file has it; a copy put back stands for a run that was killed before it could be written. */
  state: Recorded | undefined;

  constructor(pool: PoolUnderTest, handler: Handler) {
    this.pool = pool;
    this.#handler = handler;
  }

  get uuid(): string {
    return String(this.state?.outs["uuid"]);
  }

  /** Declares this; fails when it would be replaced, which no change of these tests needs. */
  async up(given: Props): Promise<"created" | "updated" | "same"> {
    const host = this.pool.newProcess();
    const { inputs, failures } = await this.#handler.check(host, this.state?.inputs ?? {}, given);
    expect(failures).toEqual([]);
    if (this.state === undefined) {
      await this.#create(host, inputs);
      return "created";
    }
    const { id, outs: olds, isHalfMade } = this.state;
    const { changes: differs, replaces } = await this.#handler.diff(host, id, olds, inputs);
    expect(replaces).toEqual([]);
    const changes = differs || isHalfMade === true;
    if (changes) this.state = { id, inputs, outs: (await this.#handler.update(host, id, olds, inputs)).outs };
    else this.state = { id, inputs, outs: olds };
    return changes ? "updated" : "same";
  }

  async refresh(): Promise<void> {
    if (this.state === undefined) return;
    const { id, props, inputs } = await this.#handler.read(this.pool.newProcess(), this.state.id, this.state.outs);
    this.state = id === "" ? undefined : { id, outs: props, inputs: inputs ?? this.state.inputs };
  }

  async destroy(): Promise<void> {
    if (this.state === undefined) return;
    await this.#handler.delete(this.pool.newProcess(), this.state.id, this.state.outs);
    this.state = undefined;
  }

  async #create(host: Host, inputs: Props): Promise<void> {
    try {
      this.state = { inputs, ...(await this.#handler.create(host, inputs)) };
    } catch (error) {
      const { id, properties } = error as { id?: string; properties?: Props };
      if (id !== undefined) this.state = { id, inputs, outs: properties ?? {}, isHalfMade: true };
      throw error;
    }
  }
}
