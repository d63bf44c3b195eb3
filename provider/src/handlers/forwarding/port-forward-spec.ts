import type { Claim } from "../../rules/fragment";
import { countRules, type PortForwardSpec, portForwardRules } from "../../rules/port-forward";
import { managementPortsIn } from "../../rules/ports";
import type { Rule } from "../../rules/rule";
import { parseCidr } from "../../validation/ipv4";
import { type PortRange, parsePortRange, sizeOf } from "../../validation/port-range";
import { type Protocol, transportsOf } from "../../validation/scalars";
import { isUnknown } from "../../validation/unknown";
import type { Props } from "../handler";
import { numberOf, textOf, textsOf } from "../props";
import { surroundingsOf } from "./surroundings";

const noPorts: PortRange = { from: 0, to: 0 };

/** The rules of a forward as checked; none while it is switched off. */
export function forwardRules(inputs: Props): Rule[] {
  return isEnabled(inputs) ? portForwardRules(specOf(inputs)) : [];
}

/** Their number, for a forward that may have too many. */
export function countForwardRules(inputs: Props): number {
  return isEnabled(inputs) ? countRules(specOf(inputs)) : 0;
}

export function isEnabled(inputs: Props): boolean {
  return inputs["enabled"] !== false;
}

/** What a forward takes of the external address. */
export function claimsOf(inputs: Props): Claim[] {
  const ports = externalPortsOf(inputs) ?? noPorts;
  return transportsOf(protocolOf(inputs)).map((protocol) => ({ protocol, ports }));
}

export function protocolOf(inputs: Props): Protocol {
  return (textOf(inputs, "protocol") ?? "tcp") as Protocol;
}

/** `undefined` while the ports are unknown or malformed. */
export function externalPortsOf(inputs: Props): PortRange | undefined {
  return parsePortRange(inputs["externalPort"]);
}

/** As many ports as the external range has, from `targetPort` on. */
export function targetPortsOf(inputs: Props): PortRange | undefined {
  const external = externalPortsOf(inputs);
  if (isUnknown(inputs["targetPort"])) return undefined;
  const from = numberOf(inputs, "targetPort") ?? external?.from;
  return external === undefined || from === undefined ? undefined : { from, to: from + sizeOf(external) - 1 };
}

function specOf(inputs: Props): PortForwardSpec {
  const externalPorts = externalPortsOf(inputs);
  const hairpin = inputs["hairpin"] === true ? parseCidr(inputs["forwardingAddress"]) : undefined;
  const own = externalPorts === undefined ? [] : managementPortsIn(protocolOf(inputs), externalPorts);
  const sources = textsOf(inputs, "managementSources");
  return {
    protocols: transportsOf(protocolOf(inputs)),
    externalPorts: externalPorts ?? shown(inputs, "externalPort"),
    target: shown(inputs, "target"),
    targetPorts: targetPortsOf(inputs) ?? shown(inputs, "targetPort"),
    sources: listOf(inputs, "sources"),
    notSources: listOf(inputs, "notSources"),
    hairpin,
    // dom0's own tools talk to its services by the external address too.
    fromHost: own.length === 0 && !includes(externalPorts, 80),
    management: own.length === 0 ? undefined : { ports: own, sources },
    isLeased: surroundingsOf(inputs).leased,
  };
}

function includes(ports: PortRange | undefined, port: number): boolean {
  return ports !== undefined && ports.from <= port && port <= ports.to;
}

/** A value that is not known yet appears in the rules by its name. */
function shown(inputs: Props, key: string): string {
  const value = inputs[key];
  return value === undefined || isUnknown(value) ? `<${key}>` : String(value);
}

function listOf(inputs: Props, key: string): string[] | undefined {
  if (inputs[key] === undefined) return undefined;
  return isUnknown(inputs[key]) ? [`<${key}>`] : textsOf(inputs, key);
}
