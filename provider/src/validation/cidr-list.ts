import { parseCidr, parseIpv4, subnetOf } from "./ipv4";
import { expected, type Problem } from "./problem";

/** `192.0.2.7` → `192.0.2.7/32`, `192.0.2.7/24` → `192.0.2.0/24`; `undefined` for anything else and for `/0`. */
export function normalisedCidr(value: unknown): string | undefined {
  const cidr = parseCidr(parseIpv4(value) === undefined ? value : `${value}/32`);
  return cidr === undefined || cidr.prefix === 0 ? undefined : subnetOf(cidr);
}

/** A list of networks or addresses; one that stands for every address must be said otherwise, as by leaving it out. */
export function checkCidrs(property: string, value: unknown, every = "leave the property out"): Problem[] {
  const wanted = 'a network such as "203.0.113.0/24", or an address';
  if (!Array.isArray(value)) return [expected(property, `a list of networks such as ["203.0.113.0/24"]`, value)];
  if (value.length === 0) return [expected(property, `${wanted}; ${every} for every address`, value)];
  if (value.length > 100) return [expected(property, "at most 100 networks", value)];
  return value.flatMap((item, index) => checkNetwork(`${property}[${index}]`, wanted, item, every));
}

/** One network or address; `wanted` describes it. */
export function checkNetwork(property: string, wanted: string, value: unknown, every: string): Problem[] {
  if (normalisedCidr(value) !== undefined) return [];
  const isEvery = parseCidr(value)?.prefix === 0;
  return [expected(property, isEvery ? `${wanted}; ${every} for every address` : wanted, value)];
}
