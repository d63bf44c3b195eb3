import { parseIpv4 } from "../validation/ipv4";
import { isIpv6 } from "../validation/ipv6";

/**
 * Addresses that a guest's tools report for a VIF, IPv4 first, link-local ones left out: those say only that the guest got
 * none. XAPI's map is keyed by device: `0/ip`, `0/ipv4/0`, `0/ipv6/1`; old tools write several into one value.
 */
export function guestAddressesOf(networks: Readonly<Record<string, string>>, device: string): string[] {
  const reported = Object.entries(networks)
    .filter(([key]) => key.startsWith(`${device}/`))
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .flatMap(([, value]) => value.split(/[\s,;]+/));
  const usable = [...new Set(reported)].filter((address) => !isLinkLocal(address));
  return [...usable.filter((address) => parseIpv4(address) !== undefined), ...usable.filter(isIpv6)];
}

/** 169.254.0.0/16 and fe80::/10. */
function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab][0-9a-f]:/i.test(address);
}
