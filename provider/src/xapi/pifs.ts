import type { XapiClient } from "./client";
import { decodeAll, isRef, RecordReader } from "./records";

const kind = "PIF";

/** A host's interface as XAPI describes it: a physical NIC, a VLAN or a bond. */
export interface PifRecord {
  readonly ref: string;
  readonly uuid: string;
  readonly device: string;
  readonly network: string;
  readonly host: string;
  readonly MAC: string;
  readonly MTU: number;
  /** Tag, or -1 for an untagged interface. */
  readonly VLAN: number;
  readonly physical: boolean;
  readonly currently_attached: boolean;
  readonly management: boolean;
  readonly managed: boolean;
  /** True for a member of a bond. */
  readonly isBondMember: boolean;
  readonly ip_configuration_mode: string;
  readonly IP: string;
  readonly netmask: string;
  readonly gateway: string;
  readonly DNS: string;
  readonly other_config: Readonly<Record<string, string>>;
}

export async function getAllRecords(client: XapiClient): Promise<PifRecord[]> {
  return decodeAll(kind, await client.call("PIF.get_all_records"), decode);
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
    MTU: record.integer("MTU"),
    VLAN: record.integer("VLAN"),
    physical: record.flag("physical", true),
    currently_attached: record.flag("currently_attached", true),
    management: record.flag("management", false),
    managed: record.flag("managed", true),
    isBondMember: isRef(record.text("bond_slave_of", "")),
    ip_configuration_mode: record.text("ip_configuration_mode", "None"),
    IP: record.text("IP", ""),
    netmask: record.text("netmask", ""),
    gateway: record.text("gateway", ""),
    DNS: record.text("DNS", ""),
    other_config: record.map("other_config", {}),
  };
}
