import { afterAll, beforeAll, expect } from "vitest";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { Claims } from "../../../provider/src/hosts/claims.ts";
import { Host as HostContext } from "../../../provider/src/hosts/host.ts";
import { requireProfile } from "../../../provider/src/hosts/profile.ts";
import { unknownValue } from "../../../provider/src/validation/unknown.ts";
import { type Host, startHost } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";

/** Host contexts on a lab's host, as handlers get them; each stands for a provider process of its own. */
export function provider(host: Host) {
  const warnings: string[] = [];
  const contexts: HostContext[] = [];
  const end = async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  };
  return {
    warnings,
    /** Ends the processes so far. Before dom0 goes down: what an idle one gives back then is a warning of its own. */
    end,
    /** `override` are environment variables in place of the lab's. */
    process(override: Record<string, string> = {}): HostContext {
      const env = { ...host.env, ...override };
      const profile = requireProfile("default", { config: () => undefined, env });
      const surroundings = {
        claims: new Claims(),
        seenIds: new Set<string>(),
        warn: (text: string) => warnings.push(text),
      };
      const context = new HostContext(profile, surroundings);
      contexts.push(context);
      return context;
    },
    [Symbol.asyncDispose]: end,
  };
}

/** One lab for all tests of a file; `prepare` takes it and declares what the tests start from. */
export function sharedHost(prepare: (host: Host, run: ReturnType<typeof provider>) => Promise<void> | void): void {
  let host: Host | undefined;
  let run: ReturnType<typeof provider> | undefined;
  beforeAll(async () => {
    host = await startHost();
    run = provider(host);
    await prepare(host, run);
  });
  afterAll(async () => {
    await run?.[Symbol.asyncDispose]();
    await host?.close();
  });
}

export function urnOf(kind: string, name: string, stack = "dev"): string {
  return `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/xennet:${kind}::${name}`;
}

/** A forwarding's inputs in a first preview, in which its network is not known yet. */
export const nat = { owner: urnOf("HostForwarding", "nat"), network: unknownValue, address: "192.168.100.1/24" };

/** A forward on that forwarding. */
export const forward = {
  ...{ owner: urnOf("PortForward", "http"), forwarding: unknownValue, network: unknownValue },
  ...{ forwardingAddress: "192.168.100.1/24", externalPort: 8080, target: "192.168.100.11" },
};

/** What a check answers as `property: reason` lines; it must leave the host as it was. */
export async function refusals(host: Host, handler: Handler, context: HostContext, news: Props): Promise<string[]> {
  const before = await captureHost(host.lab, host.simulator);
  const { failures } = await handler.check(context, {}, news);
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
  return failures.map(({ property, reason }) => `${property}: ${reason}`);
}
