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
  };
}
