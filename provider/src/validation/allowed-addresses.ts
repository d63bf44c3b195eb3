import { parseIpv4 } from "./ipv4";
import { isIpv6 } from "./ipv6";
import { expected, type Problem } from "./problem";

/** A list of addresses or networks that a locked VIF may use; which of them takes networks is the host's to say. */
export function checkAllowedAddresses(family: "ipv4" | "ipv6", property: string, value: unknown): Problem[] {
  const example = family === "ipv4" ? '"192.168.100.11" or "192.168.100.0/28"' : '"fd00::11" or "fd00::/64"';
  if (!Array.isArray(value)) return [expected(property, `a list of addresses such as ${example}`, value)];
  return value.flatMap((entry, index) =>
    isAllowed(family, entry)
      ? []
      : [expected(`${property}[${index}]`, `an ${nameOf[family]} address such as ${example}`, entry)],
  );
}

const nameOf = { ipv4: "IPv4", ipv6: "IPv6" };

function isAllowed(family: "ipv4" | "ipv6", entry: unknown): boolean {
  if (typeof entry !== "string") return false;
  const match = /^([0-9A-Fa-f:.]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(entry);
  const [, address = "", prefix] = match ?? [];
  const isAddress = family === "ipv4" ? parseIpv4(address) !== undefined : isIpv6(address);
  return isAddress && (prefix === undefined || Number(prefix) <= (family === "ipv4" ? 32 : 128));
}
