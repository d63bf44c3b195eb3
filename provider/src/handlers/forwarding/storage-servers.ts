import { parseIpv4 } from "../../validation/ipv4";

/** Servers that hosts keep storage on. */
export interface StorageServers {
  /** IPv4, without prefix length. */
  readonly addresses: readonly string[];
  /** Of servers that are given by host name. */
  readonly names: readonly string[];
}

/**
 * Keys under which the storage drivers (sm: nfs, iso, lvmoiscsi, smb, cephfs, glusterfs, moosefs) are told a server, or
 * several separated by commas; in `location` also a path of dom0; in `multiSession` `<address>,<port>,<iqn>|…`.
 */
const serverKeys = [
  "server",
  "target",
  "location",
  "multihomelist",
  "backupservers",
  "masterhost",
  "multiSession",
] as const;

/** The servers in the `device_config` of PBDs; nothing else of it is looked at, as passwords are there too. */
export function storageServers(configs: ReadonlyArray<Readonly<Record<string, string>>>): StorageServers {
  const found = configs.flatMap((config) => serverKeys.flatMap((key) => serversIn(key, config[key] ?? "")));
  const servers = [...new Set(found)].sort();
  const isAddress = (server: string) => parseIpv4(server) !== undefined;
  return {
    addresses: servers.filter((server) => isAddress(server) && !server.startsWith("127.")),
    names: servers.filter((server) => !isAddress(server) && server !== "localhost"),
  };
}

function serversIn(key: (typeof serverKeys)[number], value: string): string[] {
  const given = key === "multiSession" ? value.split("|").map((portal) => portal.split(",")[0] ?? "") : [value];
  return given
    .flatMap((text) => text.split(/[\s,]+/))
    .flatMap((part) => {
      const text = part.replaceAll("\\", "/").replace(/^[a-z]+:(?=\/\/)/i, "");
      const isRemote = key === "location" ? /^\/\/|^[^/]+:\//.test(text) : !/^\/(?!\/)/.test(text);
      return isRemote ? serverOf(text.replace(/^\/\//, "")) : [];
    });
}

/** `10.0.0.5:/export`, `10.0.0.5:3260`, `nas/share`, `user@nas/share` → the host. Guests have no IPv6. */
function serverOf(text: string): string[] {
  const authority = (text.split("/")[0] ?? "").replace(/^.*@/, "");
  const [host = "", ...rest] = authority.split(":");
  return host === "" || host.startsWith("[") || rest.length > 1 ? [] : [host.toLowerCase()];
}
