import { Limit } from "../../../provider/src/core/limit.ts";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { xenVifHandler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import type { Host as HostContext } from "../../../provider/src/hosts/host.ts";

const handlers = {
  XenNetwork: xenNetworkHandler,
  XenVif: xenVifHandler,
  HostForwarding: hostForwardingHandler,
  PortForward: portForwardHandler,
} as const satisfies Record<string, Handler>;

export type Kind = keyof typeof handlers;

/** A resource as the state has it. */
export interface Made {
  readonly kind: Kind;
  readonly id: string;
  readonly outs: Props;
  readonly uses: readonly string[];
}

/** A resource of a program. */
export interface Declaration {
  readonly kind: Kind;
  readonly name: string;
  /** Names of those whose outputs it takes. */
  readonly uses: readonly string[];
  inputs(of: (name: string) => Made): Props;
}

/** What the engine stores between two commands; it outlives every process. */
export type State = Map<string, Made>;

/** A provider process: what it is asked through, and whether the engine still hears it. */
export interface Life {
  readonly context: HostContext;
  /** From then on nothing is recorded and no step starts. */
  isOver(): boolean;
  /** Waited for after the check of a resource that is to be made, and before it is made. */
  beforeCreate?(name: string): Promise<void>;
}

/** Steps at one time: Pulumi's four a core, on two. */
const PARALLEL = 8;

/**
 * `up` with the refresh that `refresh: always` brings: reads, then checks one after the other, creates and updates side by
 * side, and deletes last. The first failure lets no other step begin.
 */
export async function up(life: Life, state: State, program: readonly Declaration[]): Promise<void> {
  const steps = new Steps(life, state);
  await refresh(steps);
  const done = new Map<string, Promise<void>>();
  for (const declared of program) {
    await Promise.all(declared.uses.map((name) => done.get(name)));
    if (steps.isEnded()) break;
    const step = await planned(steps, declared);
    done.set(declared.name, steps.run(step));
  }
  await Promise.all(done.values());
  steps.throwIfFailed();
  const names = new Set(program.map(({ name }) => name));
  await deletes(steps, new Set([...state.keys()].filter((name) => !names.has(name))));
  steps.throwIfFailed();
}

/** `destroy`, with the same refresh before it. */
export async function destroy(life: Life, state: State): Promise<void> {
  const steps = new Steps(life, state);
  await refresh(steps);
  await deletes(steps, new Set(state.keys()));
  steps.throwIfFailed();
}

/** What an `up` would do: names of resources to create, update or delete. */
export async function preview(life: Life, state: State, program: readonly Declaration[]): Promise<string[]> {
  const found: string[] = [];
  const copy: State = new Map(state);
  const steps = new Steps(life, copy);
  await refresh(steps);
  steps.throwIfFailed();
  for (const declared of program) {
    const made = copy.get(declared.name);
    if (made === undefined) {
      found.push(`create ${declared.name}`);
      continue;
    }
    const { changes } = await comparison(life, made, await checked(life, made, declared, copy));
    if (changes) found.push(`update ${declared.name}`);
  }
  return found;
}

class Steps {
  readonly life: Life;
  readonly state: State;
  readonly #limit = new Limit(PARALLEL);
  #failure: { readonly error: unknown } | undefined;

  constructor(life: Life, state: State) {
    this.life = life;
    this.state = state;
  }

  isEnded(): boolean {
    return this.#failure !== undefined || this.life.isOver();
  }

  /** Never rejects: what failed is told at the end, as the others go on. */
  async run(step: () => Promise<void>): Promise<void> {
    await this.#limit.run(async () => {
      if (this.isEnded()) return;
      try {
        await step();
      } catch (error) {
        this.#failure ??= { error };
      }
    });
  }

  record(name: string, made: Made | undefined): void {
    if (this.life.isOver()) return;
    if (made === undefined) this.state.delete(name);
    else this.state.set(name, made);
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

async function refresh(steps: Steps): Promise<void> {
  const reads = [...steps.state].map(([name, made]) =>
    steps.run(async () => {
      const { id, props } = await handlers[made.kind].read(steps.life.context, made.id, made.outs);
      steps.record(name, id === "" ? undefined : { ...made, id, outs: props });
    }),
  );
  await Promise.all(reads);
  steps.throwIfFailed();
}

async function checked(life: Life, made: Made | undefined, declared: Declaration, state: State): Promise<Props> {
  const of = (name: string) => {
    const found = state.get(name);
    if (found === undefined) throw new Error(`${declared.name} uses ${name}, which is not there`);
    return found;
  };
  const given = declared.inputs(of);
  const { inputs, failures } = await handlers[declared.kind].check(life.context, made?.outs ?? {}, given);
  const [failure] = failures;
  if (failure !== undefined) throw new Error(`${declared.name}: ${failure.property}: ${failure.reason}`);
  return inputs;
}

async function comparison({ context }: Life, { kind, id, outs }: Made, inputs: Props) {
  const answer = await handlers[kind].diff(context, id, outs, inputs);
  if (answer.replaces.length > 0) throw new Error(`${id} would be replaced for ${answer.replaces.join(", ")}`);
  return answer;
}

/** Check and diff run one resource after the other; what is left to do is the step. */
async function planned(steps: Steps, declared: Declaration): Promise<() => Promise<void>> {
  const { life, state } = steps;
  const { kind, name, uses } = declared;
  const made = state.get(name);
  try {
    const inputs = await checked(life, made, declared, state);
    if (made === undefined) return () => create(steps, declared, inputs);
    if (!(await comparison(life, made, inputs)).changes) return async () => steps.record(name, { ...made, uses });
    return async () => {
      const { outs } = await handlers[kind].update(life.context, made.id, made.outs, inputs);
      steps.record(name, { kind, id: made.id, outs, uses });
    };
  } catch (error) {
    return () => Promise.reject(error);
  }
}

/** What a create that failed says it has made all the same goes into the state, as Pulumi does it. */
async function create(steps: Steps, { kind, name, uses }: Declaration, inputs: Props): Promise<void> {
  await steps.life.beforeCreate?.(name);
  try {
    const { id, outs } = await handlers[kind].create(steps.life.context, inputs);
    steps.record(name, { kind, id, outs, uses });
  } catch (error) {
    const { id, properties } = error as { id?: string; properties?: Props };
    if (id !== undefined) steps.record(name, { kind, id, outs: properties ?? {}, uses });
    throw error;
  }
}

async function deletes(steps: Steps, doomed: ReadonlySet<string>): Promise<void> {
  const done = new Map<string, Promise<void>>();
  const start = (name: string): Promise<void> => {
    const known = done.get(name);
    if (known !== undefined) return known;
    const users = [...steps.state].filter(([user, { uses }]) => doomed.has(user) && uses.includes(name));
    const promise = Promise.all(users.map(([user]) => start(user))).then(() =>
      steps.run(async () => {
        const made = steps.state.get(name);
        if (made === undefined) return;
        await handlers[made.kind].delete(steps.life.context, made.id, made.outs);
        steps.record(name, undefined);
      }),
    );
    done.set(name, promise);
    return promise;
  };
  await Promise.all([...doomed].map(start));
}
