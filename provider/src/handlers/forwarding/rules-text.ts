import type { HostSnapshot } from "../../dom0/host";
import { describeRules, type RoleNames } from "../../rules/render";
import type { Rule } from "../../rules/rule";
import { isUnknown } from "../../validation/unknown";
import type { Props } from "../handler";
import { parseId } from "../identity";
import { textOf } from "../props";
import { externalAddressOf, externalInterfaceOf } from "./surroundings";

/** What is known of the roles for the inputs' network, from the host where it answered and from the inputs otherwise. */
export function roleNames(inputs: Props, networkUuid: string | undefined, snapshot?: HostSnapshot): RoleNames {
  const bridge = snapshot?.bridges.find((candidate) => candidate.network === networkUuid)?.name;
  const label = textOf(inputs, "networkLabel");
  const ownLabel = label === undefined || isUnknown(label) || parseId(label) !== undefined ? undefined : label;
  return {
    bridge,
    networkLabel: ownLabel,
    externalInterface: externalInterfaceOf(inputs, snapshot),
    externalAddress: externalAddressOf(inputs, snapshot),
  };
}

/** The rules as text, without the ones the host lacks. */
export function rulesText(rules: readonly Rule[], token: string, names: RoleNames, snapshot?: HostSnapshot): string[] {
  const missing = new Set(
    snapshot?.missing
      .filter((part) => part.token === token && part.what.startsWith("rule "))
      .map((part) => withoutComment(part.what.slice("rule ".length))),
  );
  return describeRules(rules, token, names).filter((line) => !missing.has(line));
}

function withoutComment(line: string): string {
  return line.replace(/ -m comment --comment \S+/, "");
}
