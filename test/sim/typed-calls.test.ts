import { expect, onTestFinished, test } from "vitest";
import { XapiClient } from "../../provider/src/xapi/client.ts";
import * as networks from "../../provider/src/xapi/networks.ts";
import * as pifs from "../../provider/src/xapi/pifs.ts";
import * as vifs from "../../provider/src/xapi/vifs.ts";
import * as vms from "../../provider/src/xapi/vms.ts";
import { legs } from "../support/legs.ts";
import { password, simulate } from "./fixtures.ts";
import type { ProfileName } from "./simulator.ts";

const releases = () => legs("xcp-ng-8.3", "xcp-ng-8.2");

async function clientOf(profile: ProfileName): Promise<XapiClient> {
  const { url, fingerprint } = await simulate({ profile });
  const client = new XapiClient({ url, username: "root", password, fingerprint });
  onTestFinished(() => client.close());
  return client;
}

/** The first server of the recipe, with its VIF. */
async function firstServer(client: XapiClient) {
  const vm = (await vms.getAllRecords(client)).find((candidate) => candidate.name_label === "Fedora server 1");
  const vif = (await vifs.getAllRecords(client)).find((candidate) => candidate.VM === vm?.ref);
  if (vm === undefined || vif === undefined) throw new Error("the recipe's first server is missing");
  return { vm, vif };
}

test.each(releases())("%s keeps a VIF's locking, allowed addresses and rate limit", async (profile) => {
  const client = await clientOf(profile);
  const { vif } = await firstServer(client);
  expect(vif).toMatchObject({ locking_mode: "network_default", ipv4_allowed: [], qos_algorithm_type: "" });
  await vifs.setAllowed(client, vif.ref, "ipv4", ["192.168.100.11"]);
  await vifs.setAllowed(client, vif.ref, "ipv6", ["fd00::11"]);
  await vifs.setLockingMode(client, vif.ref, "locked");
  await vifs.setQos(client, vif.ref, "ratelimit", { kbps: "1000" });
  expect(await vifs.getRecord(client, vif.ref)).toMatchObject({
    ...{ locking_mode: "locked", ipv4_allowed: ["192.168.100.11"], ipv6_allowed: ["fd00::11"] },
    ...{ qos_algorithm_type: "ratelimit", qos_algorithm_params: { kbps: "1000" } },
  });
});

test.each(releases())(
  "%s keeps a network's default locking, and its other_config is written whole",
  async (profile) => {
    const client = await clientOf(profile);
    const given = { name_label: "n", name_description: "", MTU: 1500, tags: [], other_config: { a: "1" } };
    const ref = await networks.create(client, { ...given, bridge: "br-own" });
    expect(await networks.getRecord(client, ref)).toMatchObject({ bridge: "br-own", default_locking_mode: "unlocked" });
    await networks.setDefaultLockingMode(client, ref, "disabled");
    await networks.replaceOtherConfig(client, ref, { b: "2" });
    expect(await networks.getRecord(client, ref)).toMatchObject({
      default_locking_mode: "disabled",
      other_config: { b: "2" },
    });
  },
);

test.each(releases())("%s tells host interfaces, and what all guests report in one call", async (profile) => {
  const client = await clientOf(profile);
  const [pif, ...others] = await pifs.getAllRecords(client);
  expect(others).toEqual([]);
  expect(pif).toMatchObject({ device: "eth0", VLAN: -1, management: true, managed: true, isBondMember: false });
  const { vm } = await firstServer(client);
  const before = client.counters.calls;
  const reports = await vms.getAllGuestMetrics(client);
  expect(client.counters.calls).toBe(before + 1);
  expect(reports.get(vm.guest_metrics)?.other).toMatchObject({ "feature-static-ip-setting": "1" });
});

test.each(releases())("%s sets and removes one key of a VM's other_config", async (profile) => {
  const client = await clientOf(profile);
  const { vm } = await firstServer(client);
  await vms.setOtherConfig(client, vm.ref, "xennet:test", "1");
  const read = async () => (await firstServer(client)).vm.other_config;
  expect(await read()).toEqual({ ...vm.other_config, "xennet:test": "1" });
  await vms.removeFromOtherConfig(client, vm.ref, "xennet:test");
  await vms.removeFromOtherConfig(client, vm.ref, "xennet:test");
  expect(await read()).toEqual(vm.other_config);
});
