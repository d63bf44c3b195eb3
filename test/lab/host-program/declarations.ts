import { randomBytes } from "node:crypto";
import type { Box, Output } from "./box.ts";

/** A random token, as the provider makes them. */
export const newToken = (): string => randomBytes(6).toString("hex");

const incarnation = "9e107d9d372bb682";

/** A HostForwarding's fragment: address, forwarding, SNAT and the way out. */
export function hostForwarding(
  box: Pick<Box, "network">,
  token: string,
  changes: { name?: string; address?: string; settings?: readonly string[]; rules?: readonly string[] } = {},
): string {
  const comment = `-m comment --comment xennet-${token}`;
  const address = changes.address ?? "192.168.100.1/24";
  return `xennet-fragment 1
kind host-forwarding
token ${token}
owner urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:HostForwarding::nat
incarnation ${incarnation}
name ${changes.name ?? "nat"}
network ${box.network}
external-interface auto
external-address auto
setting address ${address}
${changes.settings?.some((setting) => setting.startsWith("forwarding")) ? "" : "setting forwarding interface\n"}setting arp on
setting ipv6 off
${(changes.settings ?? []).map((setting) => `setting ${setting}\n`).join("")}${(changes.rules ?? []).map((rule) => `rule ${rule.replace("-j", `${comment} -j`)}\n`).join("")}rule 20 filter -A XENNET-FORWARD -s 192.168.100.0/24 -i @BRIDGE@ -o @EXT_IF@ ${comment} -j ACCEPT
rule 20 filter -A XENNET-FORWARD -d 192.168.100.0/24 -i @EXT_IF@ -o @BRIDGE@ -m conntrack --ctstate RELATED,ESTABLISHED ${comment} -j ACCEPT
rule 90 filter -A XENNET-FORWARD -o @BRIDGE@ ${comment} -j DROP
rule 90 filter -A XENNET-INPUT -i @BRIDGE@ ${comment} -j DROP
rule 60 nat -A XENNET-POSTROUTING -s 192.168.100.0/24 -o @EXT_IF@ ${comment} -j SNAT --to-source @EXT_IP@
end
`;
}

/** A PortForward's fragment. */
export function portForward(
  box: Pick<Box, "network">,
  token: string,
  port: number,
  target = "192.168.100.11:80",
): string {
  const comment = `-m comment --comment xennet-${token}`;
  return `xennet-fragment 1
kind port-forward
token ${token}
owner urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:PortForward::web
incarnation ${incarnation}
name web
network ${box.network}
external-interface auto
external-address auto
forwarding 3f2a9c0d41b7
claim tcp ${port}
rule 40 nat -A XENNET-PREROUTING -d @EXT_IP@/32 -i @EXT_IF@ -p tcp -m tcp --dport ${port} ${comment} -j DNAT --to-destination ${target}
rule 40 filter -A XENNET-FORWARD -d ${target.replace(/:.*/, "")}/32 -i @EXT_IF@ -o @BRIDGE@ -p tcp -m tcp --dport 80 ${comment} -j ACCEPT
end
`;
}

/** A `put` or `remove` of a transaction. */
export const put = (token: string, fragment: string): string => `put ${token}\n${fragment}`;
export const remove = (token: string): string => `remove ${token} ${incarnation}\n`;

/** Sends a transaction. */
export function transact(box: Box, operations: readonly string[], window = 60): Promise<Output> {
  return box.xennet("transact", transaction(box, operations, window));
}

/** A transaction's text. */
export function transaction(box: Pick<Box, "hostUuid">, operations: readonly string[], window = 60): string {
  return `xennet-transaction 1\nhost ${box.hostUuid}\nwindow ${window}\n${operations.join("")}commit\n`;
}

/** The number of the generation that an answer calls pending. */
export function pendingOf(answer: Output): number {
  const found = /^pending (\d+) \d+$/m.exec(answer.stdout);
  if (!found)
    throw new Error(`no pending generation in the answer (exit ${answer.code}):\n${answer.stdout}${answer.stderr}`);
  return Number(found[1]);
}

/** Sends a transaction and confirms it. */
export async function declare(box: Box, operations: readonly string[]): Promise<Output> {
  const answer = await transact(box, operations);
  const confirmed = await box.xennet(`confirm ${pendingOf(answer)}`);
  if (confirmed.code !== 0) throw new Error(`confirm failed: ${confirmed.stdout}${confirmed.stderr}`);
  return answer;
}
