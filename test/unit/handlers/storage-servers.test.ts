import { expect, test } from "vitest";
import { storageServers } from "../../../provider/src/handlers/forwarding/storage-servers.ts";

test.each([
  ["NFS", { server: "10.0.0.5", serverpath: "/srv/10.9.9.9" }, ["10.0.0.5"]],
  ["an NFS library of images", { location: "10.0.0.5:/iso" }, ["10.0.0.5"]],
  ["a CIFS library of images", { location: "//10.0.0.5/iso", type: "cifs", username: "10.9.9.9" }, ["10.0.0.5"]],
  ["SMB in Windows' spelling", { server: "\\\\10.0.0.5\\share" }, ["10.0.0.5"]],
  ["SMB as a URL with a user", { server: "smb://u:p@10.0.0.5/share" }, ["10.0.0.5"]],
  ["iSCSI", { target: "10.0.0.5", port: "3260", targetIQN: "iqn.2026-01.org.example:10.9.9.9" }, ["10.0.0.5"]],
  ["iSCSI with several paths", { target: "10.0.0.5,10.0.1.5", multihomelist: "10.0.2.5:3260, 10.0.1.5:3260" }, 3],
  [
    "iSCSI portals that were found",
    { target: "10.0.0.5", multiSession: "10.0.0.5,3260,iqn.a|10.0.0.6,3260,iqn.a|" },
    2,
  ],
  ["GlusterFS", { server: "10.0.0.5:/volume", backupservers: "10.0.0.6" }, ["10.0.0.5", "10.0.0.6"]],
  ["MooseFS", { masterhost: "10.0.0.5", masterport: "9421" }, ["10.0.0.5"]],
])("the servers of %s are found", (_what, config, wanted) => {
  const { addresses, names } = storageServers([config as Record<string, string>]);
  expect(names).toEqual([]);
  if (typeof wanted === "number") expect(addresses).toHaveLength(wanted);
  else expect(addresses).toEqual(wanted);
});

test("a server that several hosts use is told once, in order", () => {
  const configs = [{ server: "10.0.0.9" }, { server: "10.0.0.5" }, { target: "10.0.0.9" }];
  expect(storageServers(configs)).toEqual({ addresses: ["10.0.0.5", "10.0.0.9"], names: [] });
});

test("a server given by name is told as a name, without the credentials in front of it", () => {
  const configs = [{ server: "NAS.example.org" }, { location: "//user:secret@files/iso" }, { target: "10.0.0.300" }];
  expect(storageServers(configs)).toEqual({ addresses: [], names: ["10.0.0.300", "files", "nas.example.org"] });
});

test.each([
  ["a disk", { device: "/dev/disk/by-id/ata-1" }],
  ["the drive", { location: "/dev/xapi/cd", type: "cd" }],
  ["a folder of dom0", { location: "/opt/xensource/packages/iso", legacy_mode: "true" }],
  ["dom0 itself", { server: "127.0.0.1", target: "localhost" }],
  ["IPv6, which guests have not", { server: "[fd00::5]:/export", target: "fd00::5", location: "//[fd00::5]/iso" }],
  ["nothing", { server: "" }],
])("%s is no server", (_what, config) => {
  expect(storageServers([config as Record<string, string>])).toEqual({ addresses: [], names: [] });
});
