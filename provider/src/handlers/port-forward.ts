import type { HostSnapshot } from "../dom0/host";
import { type Fragment, renderFragment } from "../rules/fragment";
import { type PortForwardSpec, portForwardRules } from "../rules/port-forward";
import type { Protocol } from "../validation/scalars";
import { isUnknown } from "../validation/unknown";
import { commonLines, type FragmentKind, type FragmentMarks, fragmentHandler } from "./fragment-resource";
import type { Handler, Props } from "./handler";
import { parseId } from "./identity";
import { checkForwardInputs, checkHeldPort, checkXapiPort, normalisedForward } from "./port-forward-check";
import { preflight } from "./preflight";
import { numberOf, plain, textOf } from "./props";
import { knownNetworkUuid } from "./references";
import { roleNames, rulesText } from "./rules-text";

const compared = [
  ...["owner", "forwarding", "network", "externalInterface", "externalAddress"],
  ...["protocol", "externalPort", "target", "targetPort"],
];

const kind: FragmentKind = {
  kind: "port-forward",
  compared,
  compile(inputs, marks, networkUuid) {
    return renderFragment(fragmentOf(inputs, marks, networkUuid), portForwardRules(specOf(inputs)));
  },
  outputs(inputs, networkUuid, snapshot) {
    const names = roleNames(inputs, networkUuid, snapshot);
    return { rules: rulesText(portForwardRules(specOf(inputs)), textOf(inputs, "token") ?? "", names, snapshot) };
  },
  touchesManagement(inputs, snapshot) {
    const { protocol, externalPort } = specOf(inputs);
    return snapshot.listens.some((listener) => listener.protocol === protocol && listener.port === externalPort);
  },
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
  const { protocol, externalPort } = specOf(inputs);
  const forwarding = parseId(textOf(inputs, "forwarding") ?? "")?.own;
  return {
    kind: "port-forward",
    ...commonLines(inputs, marks, networkUuid),
    ...(forwarding === undefined ? {} : { forwarding }),
    claim: { protocol, port: externalPort },
    settings: [],
  };
}

/** A port of the external address that goes to a guest: handler of the resource PortForward. */
export const portForwardHandler: Handler = fragmentHandler(kind, async (host, _olds, given) => {
  const news = normalisedForward(given);
  const failures = checkForwardInputs(host, news);
  const { reachable, problems } = await preflight(host, "dom0");
  failures.push(...problems);
  const snapshot = reachable ? await host.dom0.snapshot() : undefined;
  const networkUuid = reachable ? await knownNetworkUuid(host, news["network"], failures) : undefined;
  if (snapshot !== undefined && failures.length === 0) {
    failures.push(...checkHeldPort(news, snapshot), ...(await checkXapiPort(host, news)));
  }
  return { inputs: plain({ ...news, rules: previewText(news, networkUuid, snapshot) }), failures };
});

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
