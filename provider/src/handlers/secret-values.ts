import { registerSecret } from "../core/redact";
import { parseCidr, subnetOf } from "../validation/ipv4";
import { isUnknown } from "../validation/unknown";
import type { Props } from "./handler";

/** Values that properties choose among: to hide one tells it, and would make every other message unreadable. */
const choices = new Set([
  ...["tcp", "udp", "both", "any", "none", "auto", "on", "off", "address", "masquerade", "forwarded", "network"],
  ...["interface", "global", "network_default", "locked", "unlocked", "disabled", "fail", "takeOver", "replace"],
  "default",
]);

/** A digit on its own is in every other message. */
const shortest = 2;

/**
 * Keeps the values of these inputs out of the messages of this process from now on: those about other properties, and about
 * other resources, quote them too.
 */
export function registerSecretInputs(inputs: Props, names: unknown): void {
  if (!Array.isArray(names)) return;
  for (const name of names) {
    for (const text of textsIn(inputs[name])) {
      for (const form of formsOf(text)) registerSecret(form);
    }
  }
}

function textsIn(value: unknown): string[] {
  if (isUnknown(value) && typeof value === "string") return [];
  if (typeof value === "string" || typeof value === "number") {
    const text = String(value);
    return text.length < shortest || choices.has(text) ? [] : [text];
  }
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(textsIn) : [];
}

/** As messages show it: an address without its prefix length, the network it lies in, a MAC address in either case. */
function formsOf(text: string): string[] {
  const cidr = parseCidr(text);
  if (cidr !== undefined) return [text, cidr.address, subnetOf(cidr)];
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) ? [text.toLowerCase(), text.toUpperCase()] : [text];
}
