import type { HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { type Fragment, renderFragment, rulesOf } from "../../rules/fragment";
import { describeOwner } from "../../rules/owner";
import { abandonsTarget, planRules } from "../../rules/plan";
import { portsOverlap } from "../../validation/port-range";
import type { Handler, Props } from "../handler";
import { parseId } from "../identity";
import { preflight } from "../preflight";
import { plain, textOf } from "../props";
import { knownNetworkUuid } from "../references";
import { commonLines, type FragmentKind, type FragmentMarks, fragmentHandler } from "./fragment-resource";
import { probeGuest } from "./guest-probe";
import { checkManagement, checkPool, managementSourcesOf } from "./management-check";
import { checkPortConflicts } from "./port-conflicts";
import { checkForwardInputs, checkOnHost, normalisedForward } from "./port-forward-check";
import { claimsOf, forwardRules, isEnabled } from "./port-forward-spec";
import { roleNames, rulesText } from "./rules-text";
import { storedOf } from "./stored-fragments";
import { isLeased } from "./surroundings";

const compared = [
  ...["owner", "forwarding", "forwardingAddress", "network", "externalInterface", "externalAddress"],
  ...["protocol", "externalPort", "target", "targetPort", "sources", "notSources", "hairpin", "enabled"],
  ...["description", "managementSources", "surroundings"],
];

const kind: FragmentKind = {
  kind: "port-forward",
  compared,
  compile(inputs, marks, networkUuid) {
    return renderFragment(fragmentOf(inputs, marks, networkUuid), forwardRules(inputs));
  },
  outputs(inputs, networkUuid, snapshot) {
    const names = roleNames(inputs, networkUuid, snapshot);
    return { rules: rulesText(forwardRules(inputs), textOf(inputs, "token") ?? "", names, snapshot) };
  },
  touchesManagement(inputs, snapshot) {
    return claimsOf(inputs).some(({ protocol, ports }) =>
      snapshot.listens.some(
        ({ protocol: other, port }) => other === protocol && portsOverlap(ports, { from: port, to: port }),
      ),
    );
  },
  probe: probeGuest,
};

function fragmentOf(inputs: Props, marks: FragmentMarks, networkUuid: string): Fragment {
  const forwarding = parseId(textOf(inputs, "forwarding") ?? "")?.own;
  const description = textOf(inputs, "description");
  return {
    kind: "port-forward",
    ...commonLines(inputs, marks, networkUuid),
    ...(forwarding === undefined ? {} : { forwarding }),
    ...(description === undefined ? {} : { description }),
    ...{ claims: claimsOf(inputs), enabled: isEnabled(inputs), settings: [] },
  };
}

/** A port of the external address that goes to a guest: handler of the resource PortForward. */
export const portForwardHandler: Handler = fragmentHandler(kind, async (host, olds, given) => {
  let news = normalisedForward(given);
  const failures = checkForwardInputs(news);
  const { reachable, problems } = await preflight(host, "dom0");
  const snapshot = reachable ? await host.dom0.snapshot() : undefined;
  const networkUuid = reachable ? await knownNetworkUuid(host, news["network"], failures) : undefined;
  if (failures.length === 0) {
    failures.push(...checkManagement(host, news, snapshot));
    news = { ...news, ...derived(host, olds, news, snapshot) };
    if (snapshot !== undefined)
      failures.push(...checkOnHost(news, snapshot), ...(await checkPool(host, news, snapshot)));
    if (failures.length === 0 && isEnabled(news)) failures.push(...checkPortConflicts(host, { olds, news }, snapshot));
    if (failures.length === 0 && snapshot !== undefined) warnOfAbandoned(host, news, snapshot);
  }
  failures.push(...problems);
  const isComplete = ["protocol", "externalPort", "target", "targetPort"].every((key) => news[key] !== undefined);
  const names = roleNames(news, networkUuid, snapshot);
  const rules = isComplete && failures.length === 0 ? rulesText(forwardRules(news), "", names, snapshot) : [];
  return { inputs: plain({ ...news, rules }), failures };
});

/** What the rules take from the host and its profile; a host that does not answer is as it was at the last check. */
function derived(host: HostContext, olds: Props, news: Props, snapshot: HostSnapshot | undefined): Props {
  const managementSources = managementSourcesOf(host, news);
  const surroundings =
    snapshot === undefined ? olds["surroundings"] : isLeased(news, snapshot) ? { leased: true } : undefined;
  return { ...(managementSources.length === 0 ? {} : { managementSources }), surroundings };
}

/** Conntrack keeps a connection's target for as long as it lasts. */
function warnOfAbandoned(host: HostContext, news: Props, snapshot: HostSnapshot): void {
  const owner = textOf(news, "owner") ?? "";
  const stored = storedOf(snapshot, kind.kind, owner)[0];
  if (stored === undefined || !isEnabled(news)) return;
  if (!abandonsTarget(planRules(rulesOf(stored.text), forwardRules(news)))) return;
  host.warn(
    `${describeOwner(owner)} changes its target: connections that are open stay with the old one until they end.`,
  );
}
