import type { HostSnapshot } from "../dom0/host";
import type { HostContext } from "../hosts/context";
import { type Fragment, parseFragment, renderFragment } from "../rules/fragment";
import { describeOwner, sameStack } from "../rules/owner";
import { type PortForwardSpec, portForwardRules } from "../rules/port-forward";
import { checkManagementPort } from "../rules/ports";
import { type Cidr, checkHostPart, checkIpv4, contains, parseCidr, subnetOf } from "../validation/ipv4";
import { expected, type Problem } from "../validation/problem";
import { checkInterfaceName, checkOneOf, checkPort, checkText, type Protocol, protocols } from "../validation/scalars";
import { isUnknown } from "../validation/unknown";
import { anything, checkProperties, checkRequired } from "./check-common";
import {
  createFragment,
  deleteFragment,
  type FragmentKind,
  type FragmentMarks,
  readFragment,
  updateFragment,
} from "./fragment-resource";
import type { Handler, Props } from "./handler";
import { knownNetwork } from "./host-forwarding";
import { parseId } from "./identity";
import { preflight } from "./preflight";
import { changedKeys, diffAnswer, numberOf, plain, textOf, textsOf } from "./props";
import { networkUuidOf } from "./references";
import { roleNames, rulesText } from "./rules-text";

const checks = {
  host: (property: string, value: unknown) => checkText(property, value, { min: 1, max: 64 }),
  owner: anything,
  forwarding: (property: string, value: unknown) => checkText(property, value, { min: 1 }),
  forwardingAddress: anything,
  network: anything,
  networkLabel: anything,
  externalInterface: checkInterfaceName,
  externalAddress: checkIpv4,
  protocol: (property: string, value: unknown) => checkOneOf(property, value, protocols),
  externalPort: checkPort,
  target: checkIpv4,
  targetPort: checkPort,
  rules: anything,
};

const required = ["forwarding", "network", "externalPort", "target"];

/** Inputs whose change is a change of the resource; `rules` and `networkLabel` only describe. */
const compared = [
  ...["owner", "forwarding", "network", "externalInterface", "externalAddress"],
  ...["protocol", "externalPort", "target", "targetPort"],
];

const kind: FragmentKind = {
  kind: "port-forward",
  compile(inputs, marks, networkUuid) {
    return renderFragment(fragmentOf(inputs, marks, networkUuid), portForwardRules(specOf(inputs)));
  },
  outputs(inputs, networkUuid, snapshot) {
    const names = roleNames(inputs, networkUuid, snapshot);
    return { rules: rulesText(portForwardRules(specOf(inputs)), textOf(inputs, "token") ?? "", names, snapshot) };
  },
  networkUuid: (host, inputs) => networkUuidOf(host, textOf(inputs, "network") ?? ""),
};

function specOf(inputs: Props): PortForwardSpec {
  const externalPort = numberOf(inputs, "externalPort") ?? 0;
  return {
    protocol: (textOf(inputs, "protocol") ?? "tcp") as Protocol,
    externalPort,
    target: textOf(inputs, "target") ?? "",
    targetPort: numberOf(inputs, "targetPort") ?? externalPort,
  };
}

function fragmentOf(inputs: Props, marks: FragmentMarks, networkUuid: string): Fragment {
  const owner = textOf(inputs, "owner") ?? "";
  const { protocol, externalPort } = specOf(inputs);
  const forwarding = parseId(textOf(inputs, "forwarding") ?? "")?.own;
  return {
    kind: "port-forward",
    ...{ token: marks.token, incarnation: marks.incarnation, owner },
    name: owner.slice(owner.lastIndexOf("::") + 2),
    network: networkUuid,
    externalInterface: textOf(inputs, "externalInterface") ?? "auto",
    externalAddress: textOf(inputs, "externalAddress") ?? "auto",
    ...(forwarding === undefined ? {} : { forwarding }),
    claim: { protocol, port: externalPort },
    settings: [],
  };
}

/** A port of the external address that goes to a guest: handler of the resource PortForward. */
export const portForwardHandler: Handler = {
  async check(host, _olds, given) {
    const news = normalised(given);
    const failures = [...checkRequired(news, required), ...checkProperties(news, checks)];
    failures.push(...checkTarget(news), ...checkPortChoice(news));
    if (failures.length === 0) failures.push(...claimPort(host, news));
    const { reachable, problems } = await preflight(host, "dom0");
    failures.push(...problems);
    const snapshot = reachable ? await host.dom0.snapshot() : undefined;
    const networkUuid = reachable ? await knownNetwork(host, news, failures) : undefined;
    if (snapshot !== undefined && failures.length === 0) failures.push(...checkHeldPort(news, snapshot));
    return { inputs: plain({ ...news, rules: previewText(news, networkUuid, snapshot) }), failures };
  },

  async diff(host, id, olds, news) {
    host.seenIds.add(id);
    const changed = changedKeys(olds, news, compared);
    if (textsOf(olds, "drift").length > 0) changed.push("drift");
    return diffAnswer(changed, changedKeys(olds, news, ["host"]));
  },

  create: (host, inputs) => createFragment(host, kind, inputs),

  read(host, id, props) {
    host.seenIds.add(id);
    return readFragment(host, kind, id, props);
  },

  update(host, id, olds, news) {
    host.seenIds.add(id);
    return updateFragment(host, kind, id, olds, news);
  },

  delete: (host, id, props) => deleteFragment(host, id, props),
};

/** Defaults filled in, and a prefix length taken off the target, so that a XenVif's address can be passed as it is. */
function normalised(given: Props): Props {
  const target = textOf(given, "target");
  const isAddress = target !== undefined && !isUnknown(target) && parseCidr(target) !== undefined;
  return {
    ...given,
    host: textOf(given, "host") ?? "default",
    protocol: given["protocol"] ?? "tcp",
    targetPort: given["targetPort"] ?? usableDefault(given["externalPort"]),
    ...(isAddress ? { target: target.split("/")[0] } : {}),
  };
}

/** One mistake is one message: a malformed external port is no default for the other. */
function usableDefault(externalPort: unknown): unknown {
  return isUnknown(externalPort) || checkPort("externalPort", externalPort).length === 0 ? externalPort : undefined;
}

function checkTarget(news: Props): Problem[] {
  const target = textOf(news, "target");
  const network = parseCidr(news["forwardingAddress"]);
  if (target === undefined || network === undefined || checkIpv4("target", target).length > 0) return [];
  return checkInside(network, target);
}

function checkInside(network: Cidr, target: string): Problem[] {
  const property = "target";
  if (!contains(network, target)) {
    return [expected(property, `an address in the forwarding's network ${subnetOf(network)}`, target)];
  }
  if (target === network.address) {
    return [expected(property, `the address of a guest, not dom0's own (${network.address})`, target)];
  }
  return checkHostPart(property, network, target);
}

function checkPortChoice(news: Props): Problem[] {
  const port = numberOf(news, "externalPort");
  return port === undefined ? [] : checkManagementPort("externalPort", news["protocol"] as Protocol, port);
}

/** Two resources of one run must not claim the same port; which of them would win could not be told. */
function claimPort(host: HostContext, news: Props): Problem[] {
  const parts = ["host", "externalAddress", "protocol", "externalPort"].map((key) => news[key]);
  if (isUnknown(parts)) return [];
  const other = host.claims.claim(parts.map((part) => String(part ?? "auto")).join("/"), textOf(news, "owner") ?? "");
  return other === undefined ? [] : [takenBy(news, describeOwner(other), "already forwards it")];
}

/** A port that another stack holds on the host; an older declaration of the same stack is no conflict. */
function checkHeldPort(news: Props, snapshot: HostSnapshot): Problem[] {
  const owner = textOf(news, "owner") ?? "";
  return snapshot.fragments
    .map((stored) => parseFragment(stored.text))
    .filter((other) => other?.claim?.protocol === news["protocol"] && other?.claim?.port === news["externalPort"])
    .filter((other) => other !== undefined && other.owner !== owner && !sameStack(other.owner, owner))
    .map((other) => takenBy(news, describeOwner(other?.owner ?? ""), "holds it on this host"));
}

function takenBy(news: Props, culprit: string, verb: string): Problem {
  const port = `${news["protocol"]} port ${news["externalPort"]}`;
  return {
    property: "externalPort",
    reason: `expected a free port, found ${port}: ${culprit} ${verb}. Choose another external port`,
  };
}

function previewText(news: Props, networkUuid: string | undefined, snapshot: HostSnapshot | undefined): string[] {
  const spec = ["protocol", "externalPort", "target", "targetPort"].map((key) => news[key]);
  if (spec.some((value) => value === undefined)) return [];
  const shown = Object.fromEntries(
    Object.entries(news).map(([key, value]) => [key, isUnknown(value) ? `<${key}>` : value]),
  );
  const rules = portForwardRules({ ...specOf(shown), ...portTexts(shown) });
  return rulesText(rules, "", roleNames(news, networkUuid, snapshot));
}

/** Ports that are not known yet appear by name in the text. */
function portTexts(shown: Props): Pick<PortForwardSpec, "externalPort" | "targetPort"> {
  return { externalPort: shown["externalPort"], targetPort: shown["targetPort"] } as never;
}
