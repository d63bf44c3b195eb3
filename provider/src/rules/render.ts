import { chains, type Rule, roles, type Target } from "./rule";

/**
 * A rule as the line `iptables-save` prints for it, `-A CHAIN …`, in the canonical order -s -d -i -o -p -m. The comment
 * marks the rule as this resource's; letters, digits and `-` only, so that no version of iptables quotes it.
 */
export function renderRule(rule: Rule, token: string): string {
  const words = ["-A", chains[rule.chain].name];
  const add = (option: string, value: string | undefined) => value !== undefined && words.push(option, value);
  add("-s", rule.source);
  add("-d", rule.destination);
  add("-i", rule.inInterface);
  add("-o", rule.outInterface);
  add("-p", rule.protocol);
  if (rule.destinationPort !== undefined && rule.protocol !== undefined) {
    words.push("-m", rule.protocol, "--dport", String(rule.destinationPort));
  }
  if (rule.state !== undefined) words.push("-m", "state", "--state", rule.state);
  if (rule.wasDnated === true) words.push("-m", "conntrack", "--ctstate", "DNAT");
  words.push("-m", "comment", "--comment", `xennet-${token}`, ...renderTarget(rule.target));
  return words.join(" ");
}

function renderTarget(target: Target): string[] {
  if (target.jump === "DNAT") return ["-j", "DNAT", "--to-destination", target.to];
  if (target.jump === "SNAT") return ["-j", "SNAT", "--to-source", target.to];
  return ["-j", target.jump];
}

/** What is known of the roles when rules are shown to a person; what is not is named in angle brackets. */
export interface RoleNames {
  readonly bridge?: string | undefined;
  /** Name label of the network, for `<bridge of …>`. */
  readonly networkLabel?: string | undefined;
  readonly externalInterface?: string | undefined;
  readonly externalAddress?: string | undefined;
}

/** The rules as text for a preview: a table name before each, roles resolved as far as they are known. */
export function describeRules(rules: readonly Rule[], token: string, names: RoleNames): string[] {
  const substitutes: ReadonlyArray<readonly [string, string]> = [
    [roles.bridge, names.bridge ?? `<bridge of ${names.networkLabel ?? "the network"}>`],
    [roles.externalInterface, names.externalInterface ?? "<external interface>"],
    [roles.externalAddress, names.externalAddress ?? "<external address>"],
  ];
  const comment = ` -m comment --comment xennet-${token}`;
  return rules
    .map((rule) => `${chains[rule.chain].table} ${renderRule(rule, token).replace(comment, "")}`)
    .map((line) => substitutes.reduce((text, [role, name]) => text.replaceAll(role, name), line));
}
