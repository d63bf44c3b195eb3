import type { XapiClient } from "./client";
import { decodeAll, RecordReader } from "./records";

const kind = "host";

/** A host as XAPI describes it. */
export interface HostRecord {
  readonly ref: string;
  readonly uuid: string;
  readonly name_label: string;
  readonly hostname: string;
  readonly address: string;
  readonly API_version_major: number;
  readonly API_version_minor: number;
  readonly software_version: Readonly<Record<string, string>>;
  readonly PIFs: readonly string[];
  readonly resident_VMs: readonly string[];
  readonly other_config: Readonly<Record<string, string>>;
  /** Undefined on hosts that do not report it. */
  readonly ssh_enabled: boolean | undefined;
}

export async function getAllRecords(client: XapiClient): Promise<HostRecord[]> {
  return decodeAll(kind, await client.call("host.get_all_records"), decode);
}

function decode(ref: string, raw: unknown): HostRecord {
  const record = new RecordReader(kind, raw);
  return {
    ref,
    uuid: record.text("uuid"),
    name_label: record.text("name_label"),
    hostname: record.text("hostname"),
    address: record.text("address"),
    API_version_major: record.integer("API_version_major"),
    API_version_minor: record.integer("API_version_minor"),
    software_version: record.map("software_version"),
    PIFs: record.texts("PIFs"),
    resident_VMs: record.texts("resident_VMs"),
    other_config: record.map("other_config"),
    ssh_enabled: record.has("ssh_enabled") ? record.flag("ssh_enabled") : undefined,
  };
}
