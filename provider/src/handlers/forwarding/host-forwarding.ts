import type { HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { networkByUuid } from "../../hosts/pool-view";
import { type Fragment, renderFragment } from "../../rules/fragment";
import { describeOwner } from "../../rules/owner";
import type { Handler, Props } from "../handler";
import { preflight } from "../preflight";
import { plain, textOf } from "../props";
import { knownNetworkUuid } from "../references";
import { checkPeers } from "./default-route-peers";
import { checkForwardingOnHost } from "./forwarding-conflicts";
import { commonLines, type FragmentKind, type FragmentMarks, fragmentHandler } from "./fragment-resource";
import { checkForwardingInputs, normalisedForwarding } from "./host-forwarding-check";
import { forwardingRules, settingsOf } from "./host-forwarding-spec";
import { infrastructureOf } from "./infrastructure";
import { checkOutside } from "./outside-check";
import { roleNames, rulesText } from "./rules-text";
import { shadowsOf } from "./shadows";
import { externalInterfaceOf, isLeased, type Surroundings } from "./surroundings";

const compared = [
  ...["owner", "network", "address", "externalInterface", "externalAddress"],
  ...["outbound", "outboundToInfrastructure", "inbound", "snat", "forwardingScope", "arp", "proxyArp", "sendRedirects"],
  ...["arpFilter", "clampMss", "guestAccessToHost", "isolation", "persistence", "surroundings"],
];

const kind: FragmentKind = {
  kind: "host-forwarding",
  compared,
  compile(inputs, marks, networkUuid) {
    return renderFragment(fragmentOf(inputs, marks, networkUuid), forwardingRules(inputs));
  },
  outputs(inputs, networkUuid, snapshot) {
    const bridge = snapshot.bridges.find((candidate) => candidate.network === networkUuid);
    const names = roleNames(inputs, networkUuid, snapshot);
    const token = textOf(inputs, "token") ?? "";
    return {
      bridge: bridge?.name ?? "",
      bridgePresent: bridge?.present ?? false,
      status: snapshot.fragments.find((stored) => stored.token === token)?.status ?? "waiting",
      resolvedExternalInterface: names.externalInterface ?? "",
      resolvedExternalAddress: names.externalAddress ?? "",
      rules: rulesText(forwardingRules(inputs), token, names, snapshot),
      files: [...snapshot.files],
      shadowedBy: shadowsOf(inputs, names, snapshot),
    };
  },
  // Its closing rules stand in INPUT.
  touchesManagement: () => true,
  async probe(host, inputs, networkUuid, snapshot) {
    const bridge = snapshot.bridges.find((candidate) => candidate.network === networkUuid);
    if (inputs["persistence"] !== "none" || bridge?.present === true) return;
    host.warn(
      `${describeOwner(textOf(inputs, "owner") ?? "")} has no bridge for its address yet, and with persistence: "none" the host does not put the address there when the first VM brings the bridge: run up again then, or \`xennet apply\` at its console.`,
    );
  },
};

function fragmentOf(inputs: Props, marks: FragmentMarks, networkUuid: string): Fragment {
  return {
    kind: "host-forwarding",
    ...commonLines(inputs, marks, networkUuid),
    ...{ claims: [], enabled: true, settings: settingsOf(inputs) },
  };
}

/** dom0 as a router: handler of the resource HostForwarding. */
export const hostForwardingHandler: Handler = fragmentHandler(kind, async (host, olds, given) => {
  // Only for this look: what the rules make of it is kept as `surroundings`.
  const { networkMtu, ...own } = given;
  let news = normalisedForwarding(own);
  const failures = checkForwardingInputs(news);
  const { reachable, problems } = await preflight(host, "dom0");
  failures.push(...problems);
  const snapshot = reachable ? await host.dom0.snapshot() : undefined;
  const networkUuid = reachable ? await knownNetworkUuid(host, news["network"], failures) : undefined;
  let surroundings = olds["surroundings"];
  if (snapshot !== undefined && failures.length === 0) {
    const network = networkByUuid(await host.poolView(), networkUuid);
    failures.push(...checkForwardingOnHost(host, { olds, news }, network, snapshot), ...checkOutside(news, snapshot));
    failures.push(...(await checkPeers(host, news, snapshot)));
    surroundings = await observe(host, news, typeof networkMtu === "number" ? networkMtu : network?.MTU, snapshot);
  }
  news = { ...news, surroundings };
  if (failures.length === 0) warnOfOpenness(host, news, snapshot);
  const rules = rulesText(forwardingRules(news), "", roleNames(news, networkUuid, snapshot));
  return { inputs: plain({ ...news, rules }), failures };
});

/** What the rules take from host and pool; nothing where all is usual. `mtu` is the internal network's, as far as it is known. */
async function observe(
  host: HostContext,
  news: Props,
  mtu: number | undefined,
  snapshot: HostSnapshot,
): Promise<Surroundings | undefined> {
  const { networks } = await host.poolView();
  const guarded = news["outboundToInfrastructure"] === true ? [] : await infrastructureOf(host, news, snapshot);
  const outside = networks.find(({ bridge }) => bridge === externalInterfaceOf(news, snapshot));
  const isNarrow = mtu !== undefined && outside !== undefined && outside.MTU < mtu;
  const found: Surroundings = {
    ...(isLeased(news, snapshot) ? { leased: true } : {}),
    ...(guarded.length > 0 ? { infrastructure: guarded } : {}),
    ...(isNarrow ? { narrow: true } : {}),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

/** What opens more than its name may say, and what a setting of the whole host makes ineffective. */
function warnOfOpenness(host: HostContext, news: Props, snapshot: HostSnapshot | undefined): void {
  const who = describeOwner(textOf(news, "owner") ?? "");
  if (news["inbound"] === "network") {
    host.warn(
      `${who} has inbound: "network": every port of every guest can be reached by hosts that route through dom0.`,
    );
  }
  if (news["isolation"] === false) {
    host.warn(
      `${who} has isolation: false: what else is routed from or to its network is left to the host's own firewall.`,
    );
  }
  warnOfRouting(host, news, snapshot);
  for (const [property, key] of overruled) {
    const global = snapshot?.sysctls.find((found) => found.key === `net.ipv4.conf.all.${key}`)?.value;
    if (news[property] !== false || global !== "1") continue;
    host.warn(
      `${who} has ${property}: false, but net.ipv4.conf.all.${key} is 1 on the host, which switches it on for every interface.`,
    );
  }
}

/** What dom0 routed before is not closed: somebody may rely on it, and must know what else it means. */
function warnOfRouting(host: HostContext, news: Props, snapshot: HostSnapshot | undefined): void {
  const outside = externalInterfaceOf(news, snapshot);
  if (outside === undefined || snapshot?.routed.includes(outside) !== true) return;
  host.warn(
    `dom0 routes what comes in by ${outside} without ${describeOwner(textOf(news, "owner") ?? "")} as well, so that stays open: whoever is there can send through dom0 into its other networks, such as storage. If nothing on the host needs it, close it at dom0's console: \`xennet off\` where the program is there, then \`sysctl -w net.ipv4.ip_forward=0 net.ipv4.conf.${outside}.forwarding=0\`, then \`xennet on\`.`,
  );
}

/** The kernel takes these as on when either the interface's or the global value is. */
const overruled = [
  ["proxyArp", "proxy_arp"],
  ["sendRedirects", "send_redirects"],
  ["arpFilter", "arp_filter"],
] as const;
