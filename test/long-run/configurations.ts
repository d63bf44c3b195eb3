import type { LabOptions } from "../lab/lab.ts";

/** The hosts of a long run: both back ends of iptables, and the oldest release. */
export const CONFIGURATIONS: Readonly<Record<string, LabOptions>> = {
  "xcp-ng-8.3 nft": { profile: "xcp-ng-8.3", iptables: "nft" },
  "xcp-ng-8.3 legacy": { profile: "xcp-ng-8.3", iptables: "legacy" },
  "xenserver-5.6": { profile: "xenserver-5.6" },
};
