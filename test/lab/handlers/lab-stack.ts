import { expect } from "vitest";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { hostForwardingHandler } from "../../../provider/src/handlers/host-forwarding.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { portForwardHandler } from "../../../provider/src/handlers/port-forward.ts";
import type { Host as HostContext } from "../../../provider/src/hosts/host.ts";
import type { Host } from "../host.ts";
import type { Declared } from "./declared-host.ts";
import { provider, urnOf } from "./host-under-test.ts";

/** Pulumi's steps at one time, on two cores. */
const WORKERS = 8;

/** A stack of its own on a lab's host, whose provider has sessions and SSH connections of its own. */
export interface LabStack extends AsyncDisposable {
  readonly warnings: readonly string[];
  /** The provider of the present `up` or `destroy`. */
  readonly context: HostContext;
  /** Port and target of the n-th forward. */
  forward(n: number): { readonly externalPort: number; readonly target: string };
  /** Makes network and forwarding. */
  upForwarding(): Promise<{ readonly network: Declared; readonly nat: Declared }>;
  /** Makes so many forwards as an `up` does: checked one after the other, made some at a time. */
  upForwards(count: number): Promise<PromiseSettledResult<Declared>[]>;
  /** Takes everything away that was made, forwards first, by a process of its own. */
  destroy(): Promise<void>;
}

/** Stack number `number`: its networks and ports meet nobody else's. */
export function labStack(host: Host, number: number, override: Record<string, string> = {}): LabStack {
  const run = provider(host);
  const stack = `stack${number}`;
  const address = `10.77.${number}.1/24`;
  let context = run.process(override);
  let base: { network: Declared; nat: Declared } | undefined;
  const forwards = new Map<number, Declared>();

  const create = async (handler: Handler, given: Props): Promise<Declared> => {
    const { inputs, failures } = await handler.check(context, {}, given);
    expect(failures).toEqual([]);
    return handler.create(context, inputs);
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
      const steps = limited(WORKERS);
      const results: Promise<Declared>[] = [];
      for (let n = 0; n < count; n += 1) {
        const { inputs, failures } = await portForwardHandler.check(context, {}, inputsOf(n, made));
        expect(failures).toEqual([]);
        const created = steps(() => portForwardHandler.create(context, inputs));
        created.then((declared) => forwards.set(n, declared)).catch(() => {});
        results.push(created);
      }
      return Promise.allSettled(results);
    },
    async destroy() {
      await context.close();
      context = run.process(override);
      const steps = limited(WORKERS);
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
