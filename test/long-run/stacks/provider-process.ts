import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { plain } from "../../../provider/src/handlers/props.ts";
import { xenVifHandler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { Claims } from "../../../provider/src/hosts/claims.ts";
import { Host as HostContext } from "../../../provider/src/hosts/host.ts";
import { requireProfile } from "../../../provider/src/hosts/profile.ts";
import { InitializationError, type ProviderCalls } from "../../engine/runner/provider-client.ts";
import type { ResourceState } from "../../engine/runner/resource-state.ts";
import { typeOf } from "../../engine/runner/urn.ts";
import { decodeMap, type PropertyMap, UNKNOWN_SENTINEL, Unknown } from "../../engine/runner/values.ts";
import type { Host } from "../../lab/host.ts";
import { type Detour, startDetour } from "../../support/detour.ts";

/** Handlers of the resources, by the last part of their types. */
export type Handlers = Readonly<Record<string, Handler>>;

/** As the provider has them. */
export const HANDLERS: Handlers = {
  XenNetwork: xenNetworkHandler,
  XenVif: xenVifHandler,
  HostForwarding: hostForwardingHandler,
  PortForward: portForwardHandler,
};

/** What every call of a provider ends with that is killed. */
class ProviderDied extends Error {
  constructor() {
    super("the provider process died");
  }
}

export type Call = keyof Handler;

/** A provider process, played in this one: a host context with ways of its own, which all end at once when it dies. */
export interface ProviderProcess {
  readonly calls: ProviderCalls;
  readonly warnings: readonly string[];
  /** Told before each call. */
  onCall: ((call: Call) => void) | undefined;
  /** Ends as by SIGKILL: connections break, and nothing it still does reaches the host. */
  die(): void;
  /** Its connections over SSH break; new ones go well. */
  cut(): void;
  /** Ends in order. */
  end(): Promise<void>;
}

export async function startProvider(host: Host, handlers: Handlers = HANDLERS): Promise<ProviderProcess> {
  const ssh = await startDetour(host.lab.ssh);
  const xapi = await startDetour(host.lab.xapi);
  const warnings: string[] = [];
  const context = contextOver(host, ssh, xapi, warnings);
  let reject: (error: Error) => void = () => {};
  const death = new Promise<never>((_, fail) => {
    reject = fail;
  });
  death.catch(() => {});
  let ended = false;
  const leave = async () => {
    if (ended) return;
    ended = true;
    await Promise.all([ssh[Symbol.asyncDispose](), xapi[Symbol.asyncDispose]()]);
  };
  const provider: ProviderProcess = {
    ...{ warnings, onCall: undefined },
    calls: callsOn(context, handlers, async (call, work) => {
      if (ended) throw new ProviderDied();
      provider.onCall?.(call);
      return Promise.race([work(), death]);
    }),
    die: () => {
      reject(new ProviderDied());
      void leave();
    },
    cut: () => ssh.cut(),
    end: async () => {
      if (!ended) await context.close();
      await leave();
    },
  };
  return provider;
}

/** With the shortest window that the product takes. */
function contextOver(host: Host, ssh: Detour, xapi: Detour, warnings: string[]): HostContext {
  const env = {
    ...host.env,
    ...{ XENNET_SSH_PORT: String(ssh.port), XENNET_XAPI_URL: `https://127.0.0.1:${xapi.port}` },
    XENNET_CONFIRMATION_WINDOW: "10",
  };
  const profile = requireProfile("default", { config: () => undefined, env });
  const warn = (text: string) => void warnings.push(text);
  return new HostContext(profile, { claims: new Claims(), seenIds: new Set(), warn });
}

type Run = <T>(call: Call, work: () => Promise<T>) => Promise<T>;

/** The handlers behind the engine's calls, as `handle` of the provider calls them. */
function callsOn(host: HostContext, handlers: Handlers, run: Run): ProviderCalls {
  const handler = (urn: string) => handlers[typeOf(urn).split(":").at(-1) ?? ""] as Handler;
  return {
    check: (urn, { olds, news }) =>
      run("check", async () => {
        const { inputs, failures } = await handler(urn).check(host, sent(olds), sent(news));
        return { inputs: received(inputs), failures: [...failures] };
      }),
    diff: (old, { urn, inputs }) => run("diff", () => handler(urn).diff(host, old.id, sent(old.outputs), sent(inputs))),
    create: (urn, inputs) =>
      run("create", () =>
        unfinished(async () => {
          const { id, outs } = await handler(urn).create(host, sent(inputs));
          return { id, outputs: received(outs) };
        }),
      ),
    read: (old: ResourceState) =>
      run("read", async () => {
        const { id, props, inputs } = await handler(old.urn).read(host, old.id, sent(old.outputs));
        return { id, outputs: received(props), inputs: inputs && received(inputs) };
      }),
    update: (urn, old, news) =>
      run("update", () =>
        unfinished(async () => {
          const { outs } = await handler(urn).update(host, old.id, sent(old.outputs), sent(news));
          return received(outs);
        }),
      ),
    delete: (old) => run("delete", () => handler(old.urn).delete(host, old.id, sent(old.outputs))),
  };
}

/** What is there in spite of a failure comes back as the SDK sends it. */
async function unfinished<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { id, properties, message } = error as { id?: string; properties?: Props; message: string };
    if (id === undefined) throw error;
    throw Object.assign(new InitializationError(id, received(properties ?? {}), [message]), { cause: error });
  }
}

/** As over the wire: copies, with the engine's mark for what is not known. */
function sent(map: PropertyMap): Props {
  return plain(JSON.parse(JSON.stringify(map, (_key, value) => (value instanceof Unknown ? UNKNOWN_SENTINEL : value))));
}

function received(props: Props): PropertyMap {
  return decodeMap(JSON.parse(JSON.stringify(plain(props))));
}
