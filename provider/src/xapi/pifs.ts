import type { XapiClient } from "./client";
import { decodeAll, RecordReader } from "./records";

const kind = "PIF";

/** A host's interface as XAPI describes it: NIC, bond or VLAN. */
export interface PifRecord {
  readonly ref: string;
  readonly uuid: string;
  readonly device: string;
  readonly network: string;
  readonly host: string;
  readonly MAC: string;
  readonly MTU: number;
  /** -1 without VLAN. */
  readonly VLAN: number;
  readonly physical: boolean;
  readonly currently_attached: boolean;
  readonly management: boolean;
  readonly managed: boolean;
  readonly bond_slave_of: string;
  readonly ip_configuration_mode: string;
  readonly IP: string;
  readonly netmask: string;
  readonly gateway: string;
}

export async function getAllRecords(client: XapiClient): Promise<PifRecord[]> {
  return decodeAll(kind, await client.call("PIF.get_all_records"), decode);
}

export async function getRecord(client: XapiClient, ref: string): Promise<PifRecord> {
  return decode(ref, await client.call("PIF.get_record", ref));
}

function decode(ref: string, raw: unknown): PifRecord {
  const record = new RecordReader(kind, raw);
  return {
    ref,
    uuid: record.text("uuid"),
    device: record.text("device"),
    network: record.text("network"),
    host: record.text("host"),
    MAC: record.text("MAC"),
    MTU: record.integer("MTU", 1500),
    VLAN: record.integer("VLAN"),
    physical: record.flag("physical", true),
    currently_attached: record.flag("currently_attached", true),
    management: record.flag("management", false),
    managed: record.flag("managed", true),
    bond_slave_of: record.text("bond_slave_of", ""),
    ip_configuration_mode: record.text("ip_configuration_mode", ""),
    IP: record.text("IP", ""),
    netmask: record.text("netmask", ""),
    gateway: record.text("gateway", ""),
  };
}
