import type { HostRecord } from "../xapi/hosts";

/** Major and minor number of the API, as XAPI shows them. */
export type ApiVersion = readonly [major: number, minor: number];

/** Which release hosts run. */
export interface Release {
  readonly api: ApiVersion;
  /** For people, e.g. `XenServer 5.6.0`. */
  readonly name: string;
}

/** What all hosts of a pool can: while a pool is upgraded, host by host, it can no more than its oldest one. */
export function oldestRelease(hosts: readonly HostRecord[]): Release {
  const [oldest] = hosts.map(releaseOf).sort((a, b) => a.api[0] - b.api[0] || a.api[1] - b.api[1]);
  return oldest ?? { api: [0, 0], name: "a pool without hosts" };
}

/** True when the second version is as new as the first, or newer. `2.10` comes after `2.9`. */
export function reaches(wanted: ApiVersion, found: ApiVersion): boolean {
  return found[0] > wanted[0] || (found[0] === wanted[0] && found[1] >= wanted[1]);
}

function releaseOf({ API_version_major, API_version_minor, software_version }: HostRecord): Release {
  const { product_brand = "a host", product_version = `with API ${API_version_major}.${API_version_minor}` } =
    software_version;
  return { api: [API_version_major, API_version_minor], name: `${product_brand} ${product_version}` };
}
