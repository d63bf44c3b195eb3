import type { Deployment } from "./deployment.ts";

/** A XAPI record with the reference it was found under. */
export interface PoolRecord {
  readonly ref: string;
  readonly uuid: string;
  readonly [field: string]: unknown;
}

export interface NetworkRow extends PoolRecord {
  readonly name_label: string;
  readonly name_description: string;
  readonly bridge: string;
  readonly other_config: Readonly<Record<string, string>>;
}

export interface VifRow extends PoolRecord {
  readonly device: string;
  readonly network: string;
  readonly VM: string;
  readonly MAC: string;
  readonly currently_attached: boolean;
  readonly other_config: Readonly<Record<string, string>>;
}

const ownerKey = "xennet:owner";

/** The deployment's pool as another client of XAPI sees it. */
export function poolOf({ host }: Pick<Deployment, "host">) {
  const { admin } = host.simulator;
  const all = async <T extends PoolRecord>(className: string): Promise<T[]> => {
    const records = await admin.call<Record<string, T>>(`${className}.get_all_records`);
    return Object.entries(records).map(([ref, record]) => ({ ...record, ref }));
  };
  const vmNamed = async (name: string): Promise<string> => {
    const [ref] = await admin.call<string[]>("VM.get_by_name_label", name);
    if (ref === undefined) throw new Error(`the pool has no VM "${name}"`);
    return ref;
  };
  const networks = () => all<NetworkRow>("network");
  const vifsOf = async (vm: string) => {
    const ref = await vmNamed(vm);
    const vifs = (await all<VifRow>("VIF")).filter((vif) => vif.VM === ref);
    return vifs.sort((a, b) => Number(a.device) - Number(b.device));
  };
  const isOwn = ({ other_config }: NetworkRow | VifRow) => other_config[ownerKey] !== undefined;
  const ownNetworks = async () => (await networks()).filter(isOwn);
  const ownVifs = async () => (await all<VifRow>("VIF")).filter(isOwn);
  return {
    networks,
    vifsOf,
    ownNetworks,
    ownVifs,
    ownVifsOf: async (vm: string) => (await vifsOf(vm)).filter(isOwn),
    /** UUIDs of what carries a mark. */
    uuids: async () => ({
      networks: (await ownNetworks()).map(({ uuid }) => uuid).sort(),
      vifs: (await ownVifs()).map(({ uuid }) => uuid).sort(),
    }),
    /** Keys of ours that are left in anybody's `other_config`. */
    traces: async () => {
      const owners = [...(await networks()), ...(await all<VifRow>("VIF")), ...(await all<VifRow>("VM"))];
      return owners.flatMap(({ other_config }) => Object.keys(other_config).filter((key) => key.startsWith("xennet:")));
    },
    uuid: async () => (await all("pool"))[0]?.uuid,
    start: async (...names: string[]) => {
      for (const name of names) await admin.call("VM.start", await vmNamed(name), false, false);
    },
    call: admin.call.bind(admin),
  };
}
