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
  const hasPorts = rule.sourcePorts !== undefined || rule.destinationPorts !== undefined || rule.opensTcp === true;
  if (hasPorts) add("-m", rule.protocol);
  add("--sport", rule.sourcePorts);
  add("--dport", rule.destinationPorts);
  if (rule.opensTcp === true) words.push("--tcp-flags", "SYN,RST", "SYN");
  if (rule.isForHost === true) words.push("-m", "addrtype", "--dst-type", "LOCAL");
  words.push(...connectionMatches(rule));
  words.push("-m", "comment", "--comment", `xennet-${token}`, ...renderTarget(rule.target));
  return words.join(" ");
}

/** `state` knows the state only; who opened a connection is asked of `conntrack`, which then says both. `/32` is never printed there. */
function connectionMatches(rule: Rule): string[] {
  const { state, originSource, originDestination } = rule;
  const origins = [...origin("--ctorigsrc", originSource), ...origin("--ctorigdst", originDestination)];
  const translation = rule.wasDnated === true ? ["DNAT"] : rule.isTranslated === true ? [translatedStates] : [];
  return [
    ...(state === undefined || origins.length > 0 ? [] : ["-m", "state", "--state", state]),
    ...(origins.length === 0 ? [] : ["-m", "conntrack", ...(state === undefined ? [] : ["--ctstate", state])]),
    ...origins,
    ...(translation.length === 0 ? [] : ["-m", "conntrack", "--ctstate", ...translation]),
  ];
}

const origin = (option: string, value: string | undefined) =>
  value === undefined ? [] : [option, value.replace(/\/32$/, "")];

/** `--ctstate` of a rule with `isTranslated`. */
export const translatedStates = "NEW,RELATED,SNAT,DNAT";

/** A rule as a fragment holds it, without the key: `<rank> <table> -A CHAIN …`. */
export function renderRuleLine(rule: Rule, token: string): string {
  return `${rule.rank} ${chains[rule.chain].table} ${renderRule(rule, token)}`;
}

function renderTarget(target: Target): string[] {
  switch (target.jump) {
    case "DNAT":
      return ["-j", "DNAT", "--to-destination", target.to];
    case "SNAT":
      return ["-j", "SNAT", "--to-source", target.to];
    case "REJECT":
      return ["-j", "REJECT", "--reject-with", target.with];
    case "TCPMSS":
      return target.mss === "pmtu"
        ? ["-j", "TCPMSS", "--clamp-mss-to-pmtu"]
        : ["-j", "TCPMSS", "--set-mss", String(target.mss)];
    default:
      return ["-j", target.jump];
  }
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
    [roles.otherBridge, "<each other bridge xapi*>"],
    [roles.openedInterface, "<each interface that did not route before>"],
  ];
  const comment = ` -m comment --comment xennet-${token}`;
  return rules
    .map((rule) => `${chains[rule.chain].table} ${renderRule(rule, token).replace(comment, "")}`)
    .map((line) => substitutes.reduce((text, [role, name]) => text.replaceAll(role, name), line));
}
