import { Claims } from "../../../provider/src/hosts/claims.ts";
import { Host } from "../../../provider/src/hosts/host.ts";
import type { Backplane } from "../backplane.ts";
import { profiles } from "../profiles.ts";
import { type ProfileName, startSimulator } from "../simulator.ts";
import { makeTlsIdentity } from "../tls.ts";

const password = "correct horse";
/** Making a key takes longer than a test; the hosts of one file share theirs. */
const tls = makeTlsIdentity("xenserver-lab");

export type PoolUnderTest = Awaited<ReturnType<typeof startPool>>;

/** A simulated pool, and the host context that handlers get for it; SSH leads nowhere. */
export async function startPool(options: { profile?: ProfileName; hosts?: 1 | 2; backplane?: Backplane } = {}) {
  const simulator = await startSimulator({ password, listen: { port: 0 }, tls: await tls, ...options });
  const allowLegacyCrypto = profiles[options.profile ?? "xcp-ng-8.3"].tls === "legacy";
  const warnings: string[] = [];
  const hosts: Host[] = [];
  const endpoint = {
    url: simulator.url,
    username: "root",
    password,
    fingerprint: simulator.fingerprint,
    allowLegacyCrypto,
  };
  /** A new one stands for a new provider process: nothing of the earlier run is remembered. */
  const newProcess = (given: Partial<typeof endpoint> = {}): Host => {
    const profile = {
      name: "default",
      xapi: { ...endpoint, ...given },
      ssh: { host: "127.0.0.1", port: 9, username: "root" },
      xapiVia: "direct" as const,
      ownerPrefix: undefined,
    };
    const surroundings = { claims: new Claims(), seenIds: new Set<string>() };
    const host = new Host(profile, { ...surroundings, warn: (text) => warnings.push(text) });
    hosts.push(host);
    return host;
  };
  return {
    simulator,
    warnings,
    newProcess,
    host: newProcess(),
    /** One object's record by class and UUID, as another client would see it. */
    async record(className: string, uuid: string): Promise<Record<string, unknown>> {
      const ref = await simulator.admin.call<string>(`${className}.get_by_uuid`, uuid);
      return simulator.admin.call(`${className}.get_record`, ref);
    },
    async vmNamed(name: string): Promise<string> {
      const [ref] = await simulator.admin.call<string[]>("VM.get_by_name_label", name);
      if (ref === undefined) throw new Error(`the simulated pool has no VM "${name}"`);
      return ref;
    },
    writingCalls: () => simulator.calls.filter((call) => call.writing).length,
    /** Names of the calls that could change the pool, from the given one on. */
    writtenSince: (first: number) =>
      simulator.calls
        .filter((call) => call.writing)
        .slice(first)
        .map((call) => call.method),
    /** The answer ends the processes that were started since, and makes the pool what it is now. */
    async save(): Promise<() => Promise<void>> {
      const putBack = await simulator.save();
      const known = hosts.length;
      return async () => {
        await Promise.all(hosts.splice(known).map((host) => host.close()));
        await putBack();
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(hosts.map((host) => host.close()));
      await simulator.close();
    },
  };
}

export function urnOf(kind: string, name: string, stack = "dev"): string {
  return `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/xennet:${kind}::${name}`;
}
