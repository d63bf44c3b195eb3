import { quoted } from "../core/foreign-text";
import { expected, type Problem } from "./problem";

/** An IPv4 address with its network, e.g. `192.168.100.1/24`. */
export interface Cidr {
  readonly address: string;
  readonly prefix: number;
}

/** Parses dotted decimal IPv4; leading zeros are refused, as some tools read them as octal. */
export function parseIpv4(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/** The inverse of {@link parseIpv4}. */
export function renderIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Parses `a.b.c.d/n`, n from 0 to 32 without leading zeros; `undefined` for anything else. */
export function parseCidr(text: unknown): Cidr | undefined {
  if (typeof text !== "string") return undefined;
  const match = /^([0-9.]+)\/(0|[1-9][0-9]?)$/.exec(text);
  const address = match?.[1];
  const prefix = Number(match?.[2]);
  if (address === undefined || parseIpv4(address) === undefined || !(prefix <= 32)) return undefined;
  return { address, prefix };
}

/** First address of the network a CIDR lies in. */
export function networkOf(cidr: Cidr): number {
  const address = parseIpv4(cidr.address) ?? 0;
  const size = 2 ** (32 - cidr.prefix);
  return address - (address % size);
}

/** `192.168.100.1/24` → `192.168.100.0/24`. */
export function subnetOf(cidr: Cidr): string {
  return `${renderIpv4(networkOf(cidr))}/${cidr.prefix}`;
}

/** True when the address lies in the network of the CIDR. */
export function contains(cidr: Cidr, address: string): boolean {
  const value = parseIpv4(address);
  const first = networkOf(cidr);
  return value !== undefined && value >= first && value < first + 2 ** (32 - cidr.prefix);
}

/** True when the two networks share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  const narrow = a.prefix >= b.prefix ? a : b;
  const wide = a.prefix >= b.prefix ? b : a;
  return contains(wide, renderIpv4(networkOf(narrow)));
}

export function checkIpv4(property: string, value: unknown): Problem[] {
  if (parseIpv4(value) === undefined) return [expected(property, 'an IPv4 address such as "192.168.100.11"', value)];
  return checkUsable(property, String(value));
}

/**
 * A host's address with its prefix length: /8 to /30, and neither the network's own nor its broadcast address. Without
 * the length `ip addr add` would set a /32 and no route.
 */
export function checkHostCidr(property: string, value: unknown): Problem[] {
  const cidr = parseCidr(value);
  if (cidr === undefined) {
    return [expected(property, 'an IPv4 address with prefix length such as "192.168.100.1/24"', value)];
  }
  if (cidr.prefix < 8 || cidr.prefix > 30) return [expected(property, "a prefix length from /8 to /30", value)];
  return [...checkUsable(property, cidr.address), ...checkHostPart(property, cidr, cidr.address)];
}

/** Networks no host can have an ordinary address in (RFC 6890): this network, loopback, link-local, multicast, reserved. */
const special = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"];

/** Refuses addresses that mean something else than a host on a network. */
function checkUsable(property: string, address: string): Problem[] {
  const found = special.map(parseCidr).find((network) => network !== undefined && contains(network, address));
  if (found === undefined) return [];
  return [expected(property, `an ordinary address, none of the special network ${subnetOf(found)}`, address)];
}

/** Refuses the network's own and its broadcast address. */
export function checkHostPart(property: string, network: Cidr, address: string): Problem[] {
  const value = parseIpv4(address);
  const first = networkOf(network);
  const last = first + 2 ** (32 - network.prefix) - 1;
  if (value !== first && value !== last) return [];
  const what = value === first ? "the address of the network itself" : "the broadcast address";
  return [
    {
      property,
      reason: `expected an address between ${renderIpv4(first + 1)} and ${renderIpv4(last - 1)}, found ${quoted(address)}, which is ${what} of ${subnetOf(network)}`,
    },
  ];
}
