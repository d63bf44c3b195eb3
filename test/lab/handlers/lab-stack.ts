import { expect } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import type { Host as HostContext } from "../../../provider/src/hosts/host.ts";
import type { Host } from "../host.ts";
import type { Declared } from "./declared-host.ts";
import { provider, urnOf } from "./host-under-test.ts";

interface LabStackOptions {
  /** Environment variables in place of the lab's. */
  readonly env?: Record<string, string>;
  /** Creates, reads and deletes at one time; Pulumi's 8 on two cores unless given. */
  readonly parallel?: number;
}

/** A stack of its own on a lab's host, whose provider has sessions and SSH connections of its own. */
export interface LabStack extends AsyncDisposable {
  readonly warnings: readonly string[];
  /** The provider of the present `up` or `destroy`. */
  readonly context: HostContext;
  /** Port and target of the n-th forward. */
  forward(n: number): { readonly externalPort: number; readonly target: string };
  /** Makes network and forwarding. */
  upForwarding(): Promise<{ readonly network: Declared; readonly nat: Declared }>;
  /** Declares so many forwards as an `up` does: checked one after the other, those that are missing made some at a time. */
  upForwards(count: number): Promise<PromiseSettledResult<Declared>[]>;
  /** Reads everything that was made as a `refresh` does, by a process of its own; answers the forwards' new state. */
  refresh(): Promise<Props[]>;
  /** Changes the n-th forward, as the next `up` of a changed program; answers what the diff said. */
  change(n: number, given: Props): Promise<{ readonly changes: boolean; readonly outs: Props }>;
  /** Takes everything away that was made, forwards first, by a process of its own. */
  destroy(): Promise<void>;
}

/** Stack number `number`: its networks and ports meet nobody else's. */
export function labStack(host: Host, number: number, { env = {}, parallel = 8 }: LabStackOptions = {}): LabStack {
  const run = provider(host);
  const stack = `stack${number}`;
  const address = `10.77.${number}.1/24`;
  let context = run.process(env);
  let base: { network: Declared; nat: Declared } | undefined;
  const forwards = new Map<number, Declared>();

  const create = async (handler: Handler, given: Props): Promise<Declared> => {
    const { inputs, failures } = await handler.check(context, {}, given);
    expect(failures).toEqual([]);
    return handler.create(context, inputs);
  };
  const newProcess = async () => {
    await context.close();
    context = run.process(env);
  };
  const forward = (n: number) => ({ externalPort: 20_000 + 100 * number + n, target: `10.77.${number}.11` });
  const inputsOf = (n: number, { network, nat }: { network: Declared; nat: Declared }): Props => ({
    ...{ owner: urnOf("PortForward", `web${n}`, stack), forwarding: nat.id, network: network.id },
    ...{ forwardingAddress: address, targetPort: 80, ...forward(n) },
  });
  const upForwarding = async () => {
    if (base !== undefined) return base;
    const owner = urnOf("XenNetwork", "internal", stack);
    const network = await create(xenNetworkHandler, { owner, nameLabel: `Internal network of ${stack}` });
    const nat = await create(hostForwardingHandler, {
      ...{ owner: urnOf("HostForwarding", "nat", stack), network: network.id, address },
    });
    base = { network, nat };
    return base;
  };
  return {
    warnings: run.warnings,
    get context() {
      return context;
    },
    forward,
    upForwarding,
    async upForwards(count) {
      const made = await upForwarding();
      const steps = limited(parallel);
      const results: Promise<Declared>[] = [];
      for (let n = 0; n < count; n += 1) {
        const known = forwards.get(n);
        const { inputs, failures } = await portForwardHandler.check(context, known?.outs ?? {}, inputsOf(n, made));
        expect(failures).toEqual([]);
        if (known !== undefined) {
          expect((await portForwardHandler.diff(context, known.id, known.outs, inputs)).changes).toBe(false);
          results.push(Promise.resolve(known));
          continue;
        }
        const created = steps(() => portForwardHandler.create(context, inputs));
        created.then((declared) => forwards.set(n, declared)).catch(() => {});
        results.push(created);
      }
      return Promise.allSettled(results);
    },
    async refresh() {
      await newProcess();
      const { network, nat } = await upForwarding();
      const steps = limited(parallel);
      const reads = [...forwards.values()].map(({ id, outs }) =>
        steps(async () => (await portForwardHandler.read(context, id, outs)).props),
      );
      await Promise.all([
        xenNetworkHandler.read(context, network.id, network.outs),
        hostForwardingHandler.read(context, nat.id, nat.outs),
      ]);
      return Promise.all(reads);
    },
    async change(n, given) {
      await newProcess();
      const { id, outs } = forwards.get(n) as Declared;
      const { inputs, failures } = await portForwardHandler.check(context, outs, {
        ...inputsOf(n, await upForwarding()),
        ...given,
      });
      expect(failures).toEqual([]);
      const { changes } = await portForwardHandler.diff(context, id, outs, inputs);
      if (changes !== true) return { changes: false, outs };
      const updated = await portForwardHandler.update(context, id, outs, inputs);
      forwards.set(n, { id, outs: updated.outs });
      return { changes, outs: updated.outs };
    },
    async destroy() {
      await newProcess();
      const steps = limited(parallel);
      await Promise.all(
        [...forwards.values()].map(({ id, outs }) => steps(() => portForwardHandler.delete(context, id, outs))),
      );
      forwards.clear();
      if (base === undefined) return;
      await hostForwardingHandler.delete(context, base.nat.id, base.nat.outs);
      await xenNetworkHandler.delete(context, base.network.id, base.network.outs);
      base = undefined;
    },
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
  };
}

/** Runs at most so many at one time. */
function limited(most: number) {
  const waiting: Array<() => void> = [];
  let free = most;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
