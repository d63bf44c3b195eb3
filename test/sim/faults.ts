import { setTimeout as wait } from "node:timers/promises";
import type { Faults, Interception, RecordedCall, Role } from "./contract.ts";
import { XapiFailure } from "./errors.ts";
import { showing } from "./in-progress.ts";
import { endSessions } from "./pool-role.ts";
import { designateMaster } from "./power.ts";
import { text, usualPatienceMs, type World } from "./world.ts";

type Kind = "loseReply" | "drop" | "fail" | "delay";

interface Planned {
  readonly kind: Kind;
  readonly method: string;
  readonly apply: () => Promise<void>;
  /** Calls of the method that still go well before. */
  spared: number;
  left: number;
}

/** The plan of what is to go wrong, and the questions that the server asks it about each call. */
export class FaultPlan implements Faults {
  readonly #world: World;
  readonly #cutConnections: () => void;
  #planned: Planned[] = [];
  readonly #held: Array<() => void> = [];
  #callsUntilExpiry: number | undefined;
  #interception: Interception | undefined;

  constructor(world: World, cutConnections: () => void) {
    this.#world = world;
    this.#cutConnections = cutConnections;
  }

  loseReply(method: string, times = 1, after = 0): void {
    this.#plan("loseReply", method, times, undefined, after);
  }

  dropConnection(method: string, times = 1, after = 0): void {
    this.#plan("drop", method, times, undefined, after);
  }

  fail(method: string, code: string, params: readonly string[] = [], times = 1): void {
    this.#plan("fail", method, times, async () => {
      throw new XapiFailure(code, params);
    });
  }

  pretend(method: string, times = 1): void {
    this.#world.pretended.set(method, times);
  }

  delay(method: string, ms: number, times = 1): void {
    this.#plan("delay", method, times, async () => {
      await wait(ms);
    });
  }

  expireSessionsAfter(calls: number): void {
    this.#callsUntilExpiry = calls;
    if (calls === 0) this.countServed();
  }

  slaveOf(masterAddress: string | undefined, masterFingerprint?: string): void {
    const [first] = this.#world.endpoints;
    if (first === undefined) return;
    first.redirect =
      masterAddress === undefined ? undefined : { address: masterAddress, fingerprint: masterFingerprint };
  }

  newMaster(host: number): void {
    designateMaster(this.#world, host);
    this.#cutConnections();
  }

  busy(className: "VM" | "VIF", ref: string, operation: string, patienceMs?: number): () => void {
    const world = this.#world;
    const vm = className === "VM" ? ref : text(world.db.row("VIF", ref)["VM"]);
    if (patienceMs !== undefined) world.patienceMs = patienceMs;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    void world.operations.oneAtATime(vm, () => showing(world, [className, ref], operation, () => held));
    this.#held.push(release);
    return release;
  }

  intercept(look?: Interception): void {
    this.#interception = look;
  }

  role(role: Role): void {
    this.#world.role = role;
  }

  clear(): void {
    for (const release of this.#held.splice(0)) release();
    this.#world.patienceMs = usualPatienceMs;
    this.role("pool-admin");
    this.#planned = [];
    this.intercept();
    this.#world.pretended.clear();
    this.#callsUntilExpiry = undefined;
    this.slaveOf(undefined);
  }

  /** True once for each planned fault of this kind. */
  takes(kind: "loseReply" | "drop", method: string): boolean {
    return this.#take(kind, method) !== undefined;
  }

  /** True when whoever looks at each call wants this one's connection to end. */
  async cuts(call: Pick<RecordedCall, "method" | "writing">, when: "before" | "after"): Promise<boolean> {
    return (await this.#interception?.(call, when)) === "cut";
  }

  /** Waits and fails as planned; nothing planned, nothing happens. */
  async before(method: string): Promise<void> {
    await this.#take("delay", method)?.apply();
    await this.#take("fail", method)?.apply();
  }

  /** Counts a call that had a session; forgets all sessions when it was the last of its plan. */
  countServed(): void {
    if (this.#callsUntilExpiry === undefined) return;
    this.#callsUntilExpiry -= 1;
    if (this.#callsUntilExpiry > 0) return;
    this.#callsUntilExpiry = undefined;
    endSessions(this.#world);
  }

  #plan(kind: Kind, method: string, times: number, apply: () => Promise<void> = async () => {}, spared = 0): void {
    this.#planned.push({ kind, method, left: times, apply, spared });
  }

  #take(kind: Kind, method: string): Planned | undefined {
    const found = this.#planned.find((one) => one.kind === kind && one.method === method && one.left > 0);
    if (found === undefined) return undefined;
    if (found.spared > 0) {
      found.spared -= 1;
      return undefined;
    }
    found.left -= 1;
    return found;
  }
}
