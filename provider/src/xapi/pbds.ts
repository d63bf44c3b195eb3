import type { XapiClient } from "./client";
import { decodeAll, RecordReader } from "./records";

const kind = "PBD";

/** How a host reaches a storage repository, as XAPI describes it. */
export interface PbdRecord {
  readonly ref: string;
  readonly uuid: string;
  readonly host: string;
  /** What the storage driver is told. Passwords are among it: never print it whole. */
  readonly device_config: Readonly<Record<string, string>>;
}

export async function getAllRecords(client: XapiClient): Promise<PbdRecord[]> {
  return decodeAll(kind, await client.call("PBD.get_all_records"), decode);
}

function decode(ref: string, raw: unknown): PbdRecord {
  const record = new RecordReader(kind, raw);
  return {
    ref,
    uuid: record.text("uuid"),
    host: record.text("host"),
    device_config: record.map("device_config"),
  };
}
