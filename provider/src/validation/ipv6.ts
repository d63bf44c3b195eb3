import { parseIpv4 } from "./ipv4";

/** True for an IPv6 address in any of the forms of RFC 4291, without zone. */
export function isIpv6(text: string): boolean {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return false;
  const left = groupsIn(head);
  const right = tail === undefined ? 0 : groupsIn(tail);
  if (left === undefined || right === undefined) return false;
  return tail === undefined ? left === 8 : left + right <= 7;
}

/** How many groups of 16 bits a side of `::` has; the last two may be written as IPv4. */
function groupsIn(side: string): number | undefined {
  if (side === "") return 0;
  const parts = side.split(":");
  const last = parts.at(-1) ?? "";
  const hasIpv4 = parseIpv4(last) !== undefined;
  const groups = hasIpv4 ? parts.slice(0, -1) : parts;
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.length + (hasIpv4 ? 2 : 0);
}
