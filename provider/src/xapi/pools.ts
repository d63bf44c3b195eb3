import type { XapiClient } from "./client";
import { XapiConnectionError } from "./errors";
import { decodeAll, RecordReader } from "./records";

const kind = "pool";

/** The pool as XAPI describes it; a single host is a pool of one. */
export interface PoolRecord {
  readonly ref: string;
  readonly uuid: string;
  readonly name_label: string;
  readonly master: string;
  readonly other_config: Readonly<Record<string, string>>;
  readonly ha_enabled: boolean;
  readonly ha_configuration: Readonly<Record<string, string>>;
}

/** What XAPI takes when neither whoever switched HA on nor the pool says otherwise. */
const usualHaTimeout = 60;

/** Seconds for which a host may be cut off before HA fences it; undefined while HA is off. As in xapi's `xapi_ha.ml`. */
export function haTimeoutOf({ ha_enabled, ha_configuration, other_config }: PoolRecord): number | undefined {
  if (!ha_enabled) return undefined;
  const seconds = Number(ha_configuration["timeout"] ?? other_config["default_ha_timeout"]);
  return Number.isInteger(seconds) && seconds > 0 ? seconds : usualHaTimeout;
}

/** The one pool that the session belongs to. */
export async function getPool(client: XapiClient): Promise<PoolRecord> {
  const [pool, ...others] = decodeAll(kind, await client.call("pool.get_all_records"), decode);
  if (pool === undefined || others.length > 0) {
    const found = pool === undefined ? "none" : others.length + 1;
    throw new XapiConnectionError(
      "XAPI_PROTOCOL",
      `The host answered with ${found} pools; every host has exactly one.`,
    );
  }
  return pool;
}

function decode(ref: string, raw: unknown): PoolRecord {
  const record = new RecordReader(kind, raw);
  return {
    ref,
    uuid: record.text("uuid"),
    name_label: record.text("name_label"),
    master: record.text("master"),
    other_config: record.map("other_config"),
    ha_enabled: record.flag("ha_enabled", false),
    ha_configuration: record.map("ha_configuration", {}),
  };
}
