import { readFileSync } from "node:fs";
import { INSIDE } from "./namespaces.ts";

/** Which iptables a dom0 has: one of today's two back ends, or the manners of 1.3.5 (XenServer 5.5 to 6.5) over the legacy one. */
export type IptablesKind = "legacy" | "nft" | "1.3.5";

/** Which of today's back ends is behind it. */
export const backEndOf = (kind: IptablesKind): "legacy" | "nft" => (kind === "1.3.5" ? "legacy" : kind);

/** Where the script lies that gives the three tools the manners of 1.3.5, once under each of their names. */
export const oldIptables = (directory: string): ReadonlyArray<readonly [path: string, text: string]> =>
  TOOLS.map((tool) => [`${directory}/${tool}`, readFileSync(`${INSIDE}iptables-1.3.5.sh`, "utf8")]);

/** What `/etc/alternatives` names, and the file it leads to. */
export function alternativesOf(kind: IptablesKind, directory: string): ReadonlyArray<readonly [string, string]> {
  return TOOLS.map((tool) => [
    `/etc/alternatives/${tool}`,
    kind === "1.3.5" ? `${directory}/${tool}` : `/usr/sbin/${tool.replace("iptables", `iptables-${kind}`)}`,
  ]);
}

const TOOLS = ["iptables", "iptables-save", "iptables-restore"];
