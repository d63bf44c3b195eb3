import { describe, expect, test } from "vitest";
import { getXenHost } from "../../../provider/src/lookups/xen-host.ts";
import { getXenNetwork } from "../../../provider/src/lookups/xen-network.ts";
import { getXenPif } from "../../../provider/src/lookups/xen-pif.ts";
import { listXenVifs } from "../../../provider/src/lookups/xen-vifs.ts";
import { getXenVm } from "../../../provider/src/lookups/xen-vm.ts";
import { legs } from "../../support/legs.ts";
import { profiles } from "../profiles.ts";
import { poolWithProfile } from "./pool.ts";

const external = "Pool-wide network associated with eth0";

describe.each(legs("xcp-ng-8.3", "xenserver-6.2", "xenserver-5.6"))("on %s", (profile) => {
  test("all look-ups of a program share one login and six calls, and no session stays open", async () => {
    const { simulator, host, logins, calls } = await poolWithProfile({ profile });
    const [vm, network, , vifs] = await Promise.all([
      getXenVm({ host, nameLabel: "Fedora server 1" }),
      getXenNetwork({ host, nameLabel: external }),
      getXenPif({ host, device: "eth0" }),
      listXenVifs({ host }),
    ]);
    expect(simulator.openSessions()).toBe(0);
    expect(await getXenVm({ host, uuid: vm.uuid })).toEqual(vm);
    expect(vm.vifs).toEqual(vifs.filter((vif) => vif.vmUuid === vm.uuid && vif.networkUuid === network.uuid));
    expect([logins(), calls()]).toEqual([1, 6]);
  });

  test("gives a VM with its VIFs, and the addresses its guest reports, link-local ones left out", async () => {
    const { simulator, admin, host, ...pool } = await poolWithProfile({ profile });
    const ref = await pool.vm("Fedora server 1");
    await admin.call("VM.start", ref, false, false);
    const metrics = await admin.call<string>("VM.get_guest_metrics", ref);
    const networks = {
      ...{ "0/ip": "192.168.1.77", "0/ipv4/0": "192.168.1.77", "0/ipv4/1": "169.254.3.4" },
      ...{ "0/ipv6/0": "fe80::1", "0/ipv6/1": "2001:db8::7", "10/ip": "192.0.2.1" },
    };
    admin.modify("VM_guest_metrics", metrics, { networks });
    const vm = await getXenVm({ host, nameLabel: "Fedora server 1" });
    expect(vm).toMatchObject({ nameLabel: "Fedora server 1", powerState: "Running", residentOn: simulator.hostUuid });
    const [vif, ...others] = vm.vifs;
    expect(others).toEqual([]);
    expect(vif).toMatchObject({ device: "0", currentlyAttached: true, networkNameLabel: external, vmUuid: vm.uuid });
    expect(vif?.mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    expect(vif?.addresses).toEqual(["192.168.1.77", "2001:db8::7"]);
  });

  test("gives a halted VM without a host", async () => {
    const { host } = await poolWithProfile({ profile });
    const vm = await getXenVm({ host, nameLabel: "Fedora server 2" });
    expect(vm.powerState).toBe("Halted");
    expect(vm).not.toHaveProperty("residentOn");
  });

  test("gives a network with the VIFs and PIFs on it, by name, UUID or the beginning of its UUID", async () => {
    const { host } = await poolWithProfile({ profile });
    const network = await getXenNetwork({ host, nameLabel: external });
    expect(network).toMatchObject({ bridge: "xenbr0", mtu: 1500, managed: true, tags: [], nameDescription: "" });
    const pif = await getXenPif({ host, device: "eth0" });
    expect(network.pifUuids).toEqual([pif.uuid]);
    expect(network.vifUuids).toHaveLength(2);
    expect(await getXenNetwork({ host, uuid: network.uuid.slice(0, 8).toUpperCase() })).toEqual(network);
  });

  test("gives a PIF by device, with or without its host", async () => {
    const { simulator, host } = await poolWithProfile({ profile });
    const pif = await getXenPif({ host, device: "eth0", onHost: "xenserver-lab" });
    const wanted = { device: "eth0", vlan: -1, ip: "192.168.1.10", netmask: "255.255.255.0", gateway: "192.168.1.50" };
    expect(pif).toMatchObject({ ...wanted, management: true, physical: true, hostUuid: simulator.hostUuid });
    expect(await getXenPif({ host, uuid: pif.uuid })).toEqual(pif);
  });

  test("gives the pool's only host without being told which", async () => {
    const { simulator, host } = await poolWithProfile({ profile });
    const found = await getXenHost({ host });
    expect(found).toMatchObject({ uuid: simulator.hostUuid, nameLabel: "xenserver-lab", address: "192.168.1.10" });
    const { softwareVersion, api } = profiles[profile];
    expect(found).toMatchObject({
      productBrand: softwareVersion["product_brand"],
      productVersion: softwareVersion["product_version"],
      apiVersion: api.join("."),
    });
    expect(found.managementPifUuid).toBe((await getXenPif({ host, device: "eth0" })).uuid);
    expect(await getXenHost({ host, nameLabel: "xenserver-lab" })).toEqual(found);
  });

  test("lists VIFs by VM name, then by device number, without those of templates and snapshots", async () => {
    const { admin, host, ...pool } = await poolWithProfile({ profile });
    const [one, two] = [await pool.vm("Fedora server 1"), await pool.vm("Fedora server 2")];
    const internal = await pool.makeNetwork("Internal network");
    for (const device of ["10", "2"]) await pool.makeVif(one, internal, device);
    await admin.call("VM.snapshot", two, "before the change");
    const rows = await listXenVifs({ host });
    expect(rows.map((row) => `${row.vmNameLabel} ${row.device} ${row.networkNameLabel}`)).toEqual([
      `Fedora server 1 0 ${external}`,
      "Fedora server 1 2 Internal network",
      "Fedora server 1 10 Internal network",
      `Fedora server 2 0 ${external}`,
    ]);
    const network = rows[1]?.networkUuid;
    expect(await listXenVifs({ host, network: "Internal network" })).toEqual(rows.slice(1, 3));
    expect(await listXenVifs({ host, vm: rows[3]?.vmUuid.slice(0, 8) })).toEqual(rows.slice(3));
    expect(await listXenVifs({ host, vm: "Fedora server 2", network })).toEqual([]);
  });
});
