import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test } from "vitest";
import { getXenHostOutput } from "../../../provider/src/lookups/xen-host.ts";
import { getXenNetwork, getXenNetworkOutput } from "../../../provider/src/lookups/xen-network.ts";
import { listXenVifs, listXenVifsOutput } from "../../../provider/src/lookups/xen-vifs.ts";
import { getXenVmOutput } from "../../../provider/src/lookups/xen-vm.ts";
import { XenNetwork } from "../../../provider/src/resources/xen-network.ts";
import { poolWithProfile } from "./pool.ts";

type Make = (inputs: Record<string, unknown>) => Promise<{ id: string; state: Record<string, unknown> }>;

let make: Make | undefined;

beforeAll(async () => {
  const newResource = async ({ inputs }: { inputs: Record<string, unknown> }) => {
    if (make === undefined) throw new Error("this test makes no resource");
    return make(inputs);
  };
  await pulumi.runtime.setMocks({ call: () => ({}), newResource }, "shop", "dev");
});

function settled<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply((value) => resolve(value as T)));
}

test("outputs that no resource made share the one look of the other look-ups", async () => {
  const { host, logins } = await poolWithProfile();
  const [vif] = await listXenVifs({ host, vm: "Fedora server 1" });
  const vm = getXenVmOutput({ host: pulumi.output(host), uuid: pulumi.output(vif?.vmUuid ?? "") });
  const network = getXenNetworkOutput({ host, uuid: vm.vifs.apply((vifs) => vifs[0]?.networkUuid ?? "") });
  expect(await settled(vm.nameLabel)).toBe("Fedora server 1");
  expect(await settled(network.bridge)).toBe("xenbr0");
  await settled(getXenHostOutput({ host }));
  expect(logins()).toBe(1);
});

test("secret arguments make a secret result", async () => {
  const { host } = await poolWithProfile();
  const vm = getXenVmOutput({ host, nameLabel: pulumi.secret("Fedora server 2") });
  expect(await pulumi.isSecret(vm)).toBe(true);
  expect(await settled(vm.powerState)).toBe("Halted");
  expect(await pulumi.isSecret(getXenVmOutput({ host, nameLabel: "Fedora server 1" }))).toBe(false);
});

test("what a resource of the program makes is looked for after it was made", async () => {
  const { host, admin, simulator, logins, ...pool } = await poolWithProfile();
  await getXenNetwork({ host, nameLabel: "Pool-wide network associated with eth0" });
  make = async (inputs) => {
    const ref = await pool.makeNetwork(String(inputs["nameLabel"]));
    await pool.makeVif(await pool.vm("Fedora server 1"), ref, "1");
    const uuid = await admin.call<string>("network.get_uuid", ref);
    return { id: `${simulator.poolUuid}/${uuid}`, state: { ...inputs, uuid } };
  };
  const network = new XenNetwork("internal", { nameLabel: "Internal network" });
  const all = await Promise.all([
    settled(listXenVifsOutput({ host, network })),
    settled(getXenNetworkOutput({ host, nameLabel: network.nameLabel })),
    settled(listXenVifsOutput({ host, vm: "Fedora server 1" }, { dependsOn: network })),
  ]);
  expect(all[0].map((vif) => vif.device)).toEqual(["1"]);
  expect(all[1].vifUuids).toEqual(all[0].map((vif) => vif.uuid));
  expect(all[2].map((vif) => vif.device)).toEqual(["0", "1"]);
  expect(logins()).toBeLessThanOrEqual(3);
  expect(simulator.openSessions()).toBe(0);
});

test("a plain look-up looks again when it misses something that was made since", async () => {
  const { host, logins, ...pool } = await poolWithProfile();
  await listXenVifs({ host });
  await pool.makeNetwork("made later");
  expect(await getXenNetwork({ host, nameLabel: "made later" })).toMatchObject({ vifUuids: [] });
  expect(logins()).toBe(2);
});
