import { expect, test } from "vitest";
import type { Inventory } from "../../../provider/src/lookups/inventory.ts";
import { xenPifLookUp } from "../../../provider/src/lookups/xen-pif.ts";
import type { HostRecord } from "../../../provider/src/xapi/hosts.ts";
import type { PifRecord } from "../../../provider/src/xapi/pifs.ts";

function host(number: number): HostRecord {
  return {
    ...{ ref: `OpaqueRef:host${number}`, uuid: `${number}0000000-0000-4000-8000-000000000000` },
    ...{ name_label: `xen${number}`, hostname: `xen${number}`, address: `192.0.2.${number}` },
    ...{ API_version_major: 2, API_version_minor: 21, software_version: {}, other_config: {} },
    ...{ PIFs: [], resident_VMs: [], ssh_enabled: undefined },
  };
}

function pif(number: number, on: HostRecord, given: Partial<PifRecord> = {}): PifRecord {
  return {
    ...{ ref: `OpaqueRef:pif${number}`, uuid: `a${number}000000-0000-4000-8000-000000000000`, host: on.ref },
    ...{ device: "eth0", VLAN: -1, network: "OpaqueRef:network", MAC: "02:16:3e:00:00:01", MTU: 1500 },
    ...{ physical: true, currently_attached: true, management: false, managed: true, isBondMember: false },
    ...{ ip_configuration_mode: "None", IP: "", netmask: "", gateway: "", DNS: "", other_config: {} },
    ...given,
  };
}

const [one, two] = [host(1), host(2)];
const inventory: Inventory = {
  ...{ networks: [], vms: [], vifs: [], guestMetrics: new Map() },
  hosts: [one, two],
  pifs: [pif(1, one), pif(2, one, { VLAN: 7, physical: false }), pif(3, two), pif(4, two, { device: "eth1" })],
};

function uuidOf(given: Record<string, unknown>): string {
  xenPifLookUp.check(given);
  return xenPifLookUp.find(inventory, given).uuid;
}

test.each([
  ["by device and host", { device: "eth0", onHost: "xen2" }, "a3"],
  ["by device and UUID of the host", { device: "eth0", onHost: two.uuid }, "a3"],
  ["by the device that only one host has", { device: "eth1" }, "a4"],
  ["by device and VLAN", { device: "eth0", vlan: 7 }, "a2"],
  ["by the beginning of the UUID", { uuid: "A300" }, "a3"],
])("finds a PIF %s", (_how, given, expected) => {
  expect(uuidOf(given).slice(0, 2)).toBe(expected);
});

test("a device that several hosts have asks for the host, and lists the candidates", () => {
  expect(() => uuidOf({ device: "eth0" })).toThrowErrorMatchingInlineSnapshot(
    `[XennetError: expected one PIF, found 2 named "eth0": "eth0 on xen1" (a1000000-0000-4000-8000-000000000000), "eth0 on xen2" (a3000000-0000-4000-8000-000000000000). Give onHost, or the UUID, instead]`,
  );
});

test("a device that no host has lists what there is, VLANs by their tags", () => {
  expect(() => uuidOf({ device: "eth1", onHost: "xen1" })).toThrowErrorMatchingInlineSnapshot(
    `[XennetError: expected the device of a PIF, found no PIF for "eth1". The pool has: "eth0 on xen1" (a1000000-0000-4000-8000-000000000000), "eth0 on xen2" (a3000000-0000-4000-8000-000000000000), "eth0, VLAN 7 on xen1" (a2000000-0000-4000-8000-000000000000), "eth1 on xen2" (a4000000-0000-4000-8000-000000000000)]`,
  );
});
