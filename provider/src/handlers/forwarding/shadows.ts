import type { HostSnapshot } from "../../dom0/host";
import { decidesFlow, type Flow } from "../../rules/conflicts";
import type { RoleNames } from "../../rules/render";
import { parseSavedRule } from "../../rules/saved";
import { parseCidr, subnetOf } from "../../validation/ipv4";
import type { Props } from "../handler";
import { textOf } from "../props";

/** Rules of others that decide about the network's packets before ours do, as `<table> <rule>`. */
export function shadowsOf(inputs: Props, names: RoleNames, snapshot: HostSnapshot): string[] {
  const address = parseCidr(textOf(inputs, "address"));
  if (address === undefined) return [];
  const subnet = subnetOf(address);
  const { bridge, externalInterface, externalAddress } = names;
  const flows: Readonly<Record<string, readonly Flow[]>> = {
    filter: [
      { inInterface: bridge, outInterface: externalInterface, source: subnet },
      { inInterface: externalInterface, outInterface: bridge, destination: subnet },
      { inInterface: bridge, source: subnet },
    ],
    nat: [
      { inInterface: externalInterface, destination: externalAddress && `${externalAddress}/32` },
      { outInterface: externalInterface, source: subnet },
    ],
  };
  return snapshot.foreign
    .filter(({ table, line }) => {
      const rule = parseSavedRule(table, line);
      return rule !== undefined && (flows[table] ?? []).some((flow) => decidesFlow(flow, rule));
    })
    .map(({ table, line }) => `${table} ${line}`);
}
