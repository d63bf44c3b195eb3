import type { TlsKind } from "../sim/contract.ts";
import { profiles } from "../sim/profiles.ts";
import type { IptablesKind } from "./iptables-kinds.ts";
import type { LabOptions } from "./lab.ts";

interface Dom0Traits {
  /** sysvinit with its links in `/etc/rc.d`, and sysctl with one file; so up to XenServer 6.5. */
  readonly old: boolean;
  readonly iptables: IptablesKind;
  /** What sshd and XAPI's HTTPS server speak. */
  readonly crypto: TlsKind;
}

type NamedDom0 = readonly [name: string, options: LabOptions];

/** The dom0s on which what dom0 does by itself is tested, by name. */
export const DOM0S: readonly [NamedDom0, ...NamedDom0[]] = [
  ["iptables-legacy", { iptables: "legacy" }],
  ["iptables-nft", { iptables: "nft" }],
  ["xenserver-6.2", { profile: "xenserver-6.2" }],
  ["xenserver-5.6", { profile: "xenserver-5.6" }],
];

/** What sets a dom0 apart for the lab, where nothing else is asked for. */
export function traitsOf(options: Pick<LabOptions, "dom0" | "profile" | "iptables" | "crypto">): Dom0Traits {
  const { dom0, profile, iptables, crypto } = options;
  const old = dom0 === undefined ? /^xenserver-[56]/.test(profile ?? "") : dom0 === "old";
  return {
    old,
    iptables: iptables ?? (old ? "1.3.5" : "nft"),
    crypto: crypto ?? profiles[profile ?? "xcp-ng-8.3"].tls,
  };
}
