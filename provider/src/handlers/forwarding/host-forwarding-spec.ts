import { type HostAccess, type HostForwardingSpec, hostForwardingRules } from "../../rules/host-forwarding";
import type { Rule } from "../../rules/rule";
import { type Cidr, parseCidr } from "../../validation/ipv4";
import { parsePortRange, renderPortRange } from "../../validation/port-range";
import { type Protocol, transportsOf } from "../../validation/scalars";
import { isUnknown } from "../../validation/unknown";
import type { Props } from "../handler";
import { textOf, textsOf } from "../props";
import { surroundingsOf } from "./surroundings";

/** The rules of a forwarding as checked; none while its address is unknown. */
export function forwardingRules(inputs: Props): Rule[] {
  const address = parseCidr(inputs["address"]);
  return address === undefined ? [] : hostForwardingRules(specOf(inputs, address));
}

/** What the host program sets besides rules; what is not declared is left alone. */
export function settingsOf(inputs: Props): Array<readonly [string, string]> {
  const scope = textOf(inputs, "forwardingScope") ?? "interface";
  const settings: Array<readonly [string, string]> = [
    ["address", textOf(inputs, "address") ?? ""],
    ["forwarding", scope],
  ];
  if (inputs["arp"] !== false) settings.push(["arp", "on"]);
  settings.push(["ipv6", "off"], ["rp-filter", "on"]);
  for (const [key, setting] of switches) {
    if (typeof inputs[key] === "boolean") settings.push([setting, inputs[key] ? "on" : "off"]);
  }
  if (inputs["persistence"] === "none") settings.push(["persistence", "none"]);
  return settings;
}

const switches = [
  ["proxyArp", "proxy-arp"],
  ["sendRedirects", "send-redirects"],
  ["arpFilter", "arp-filter"],
] as const;

function specOf(inputs: Props, address: Cidr): HostForwardingSpec {
  const { leased, infrastructure, narrow } = surroundingsOf(inputs);
  const snat = textOf(inputs, "snat") ?? "auto";
  const clamp = inputs["clampMss"] ?? "auto";
  return {
    address,
    outbound: outboundOf(inputs),
    infrastructure: infrastructure ?? [],
    inbound: textOf(inputs, "inbound") === "network" ? "network" : "forwarded",
    snat:
      snat === "masquerade" || snat === "off" ? snat : snat === "auto" && leased === true ? "masquerade" : "address",
    guestAccessToHost: accessOf(inputs),
    isolation: inputs["isolation"] !== false,
    // Without hooks nobody looks at a new bridge, and it would stay closed.
    closesNewBridges: inputs["persistence"] !== "none",
    clampMss: typeof clamp === "number" ? clamp : clamp === "auto" && narrow === true ? "pmtu" : undefined,
  };
}

function outboundOf(inputs: Props): HostForwardingSpec["outbound"] {
  const value = inputs["outbound"];
  if (value === "none") return "none";
  if (value === undefined || value === "any") return "any";
  return isUnknown(value) ? ["<outbound>"] : textsOf(inputs, "outbound");
}

function accessOf(inputs: Props): HostAccess[] {
  const list = inputs["guestAccessToHost"];
  if (!Array.isArray(list)) return [];
  // Check shows the rules of what can be read, whatever it says of the rest.
  const entries = list.filter((entry): entry is Props => entry !== null && typeof entry === "object");
  return entries.map((entry) => {
    const ports = parsePortRange(entry["port"]);
    const protocol = textOf(entry, "protocol") ?? (ports === undefined ? undefined : "both");
    return {
      source: textOf(entry, "source"),
      protocols: protocol === undefined ? undefined : transportsOf(protocol as Protocol),
      ports: ports && renderPortRange(ports).replace("-", ":"),
    };
  });
}
