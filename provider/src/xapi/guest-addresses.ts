const linkLocal = /^(169\.254\.|fe[89ab][0-9a-f]:)/i;

/** The addresses a guest reports for one of its devices, IPv4 first, without link-local ones. */
export function addressesOf(networks: Readonly<Record<string, string>>, device: string): string[] {
  const entries = Object.entries(networks)
    .filter(([key]) => key.startsWith(`${device}/`) && /^\d+\/(ip|ipv[46]\/\d+)$/.test(key))
    // `ip` repeats the first IPv4 address; guests' old tools report nothing else.
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  const addresses = entries.flatMap(([, value]) => value.split(/\s+/)).filter((address) => address !== "");
  return [...new Set(addresses)].filter((address) => !linkLocal.test(address));
}
