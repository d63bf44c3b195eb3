import { isUnprintable, quoted } from "../core/foreign-text";
import { expected, type Problem } from "./problem";

/** What a port forward can be declared for. */
export const protocols = ["tcp", "udp", "both"] as const;
export type Protocol = (typeof protocols)[number];

/** The transport protocols that have ports. */
export type Transport = "tcp" | "udp";

/** The transport protocols that a declared one stands for. */
export function transportsOf(protocol: Protocol): readonly Transport[] {
  return protocol === "both" ? ["tcp", "udp"] : [protocol];
}

/** TCP and UDP ports: an integer from 1 to 65535. */
export function checkPort(property: string, value: unknown): Problem[] {
  const ok = typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535;
  return ok ? [] : [expected(property, "a port, an integer from 1 to 65535", value)];
}

export function checkInteger(property: string, value: unknown, min: number, max: number, unit: string): Problem[] {
  const ok = typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
  return ok ? [] : [expected(property, `${unit}, an integer from ${min} to ${max}`, value)];
}

export function checkOneOf(property: string, value: unknown, choices: readonly string[]): Problem[] {
  const named = choices.map(quoted);
  const wanted = [named.slice(0, -1).join(", "), ...named.slice(-1)].filter((part) => part !== "").join(" or ");
  return typeof value === "string" && choices.includes(value) ? [] : [expected(property, wanted, value)];
}

export function checkBoolean(property: string, value: unknown): Problem[] {
  return typeof value === "boolean" ? [] : [expected(property, "true or false", value)];
}

/** A text that goes into XAPI or a fragment: at most `max` characters, all of which can be seen. */
export function checkText(property: string, value: unknown, options: { min?: number; max?: number } = {}): Problem[] {
  const { min = 0, max = 255 } = options;
  if (typeof value !== "string") return [expected(property, "a text", value)];
  if (value.length < min) return [expected(property, `a text of at least ${min} character(s)`, value)];
  if (value.length > max) return [expected(property, `a text of at most ${max} characters`, value)];
  // XML, in which XAPI is spoken, has no way to write these.
  if (/[\p{Surrogate}\uFFFE\uFFFF]/u.test(value)) return [expected(property, "a text of valid characters", value)];
  if (/\p{Control}/u.test(value)) return [expected(property, "a text without control characters", value)];
  // Whoever reads it in a terminal or in XenCenter would see another text than the one that is there.
  return isUnprintable(value)
    ? [expected(property, "a text without characters that are invisible or turn its direction around", value)]
    : [];
}

/** What the host's kernel and iptables take as interface name: 1 to 15 of `A-Z a-z 0-9 _ . -`. */
export function checkInterfaceName(property: string, value: unknown): Problem[] {
  const ok = typeof value === "string" && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(value);
  return ok ? [] : [expected(property, "an interface name of 1 to 15 letters, digits, '_', '.' or '-'", value)];
}

/**
 * A MAC address in XAPI's form: six hex bytes with colons. XAPI itself accepts a multicast address (xapi_vif.ml checks the
 * form only), with which no guest ever receives a packet.
 */
export function checkMac(property: string, value: unknown): Problem[] {
  if (typeof value !== "string" || !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)) {
    return [expected(property, 'a MAC address such as "02:16:3e:00:00:01"', value)];
  }
  if (Number.parseInt(value.slice(0, 2), 16) % 2 === 1) {
    return [expected(property, "a unicast MAC address (first byte even)", value)];
  }
  return value === "00:00:00:00:00:00" ? [expected(property, "a MAC address other than all zeros", value)] : [];
}

/** A VIF's device: unsigned decimal without leading zero. How many a VM may have is the host's to say. */
export function checkDevice(property: string, value: unknown): Problem[] {
  const ok = typeof value === "string" && /^(0|[1-9][0-9]{0,2})$/.test(value) && Number(value) <= 254;
  return ok ? [] : [expected(property, 'a device number from "0" to "254"', value)];
}

/** A map of texts, such as XAPI's `other_config`; keys of ours and XAPI's own are refused by name. */
export function checkTextMap(property: string, value: unknown, reserved: readonly string[]): Problem[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return [expected(property, "an object of texts", value)];
  }
  return Object.entries(value).flatMap(([key, text]) => {
    const path = `${property}[${JSON.stringify(key)}]`;
    if (key.startsWith("xennet:") || reserved.includes(key)) {
      return [{ property: path, reason: `the key ${quoted(key)} is set by this provider itself; leave it out` }];
    }
    if (key === "__proto__") {
      return [
        { property: path, reason: `the key ${quoted(key)} cannot be kept: it has a meaning of its own in JavaScript` },
      ];
    }
    return [...checkText(path, key, { min: 1 }), ...checkText(path, text, { max: 4096 })];
  });
}
