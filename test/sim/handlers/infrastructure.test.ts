import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostSnapshot } from "../../../provider/src/dom0/host.ts";
import { infrastructureOf } from "../../../provider/src/handlers/forwarding/infrastructure.ts";
import { type PoolUnderTest, startPool } from "./pool-under-test.ts";

let pool: PoolUnderTest;
const owner = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:HostForwarding::nat";
const dom0 = (...addresses: string[]) =>
  ({ addresses: addresses.map((address) => ({ interface: "xenbr0", address })) }) as unknown as HostSnapshot;

beforeAll(async () => {
  pool = await startPool({ hosts: 2 });
});
afterAll(() => pool?.[Symbol.asyncDispose]());

test("guests are kept from every interface of the pool's other hosts, that for storage included", async () => {
  const { admin } = pool.simulator;
  const [own, other] = pool.simulator.hosts;
  const otherRef = await admin.call<string>("host.get_by_uuid", other?.hostUuid ?? "");
  const [nic = ""] = await admin.call<string[]>("host.get_PIFs", otherRef);
  const network = await admin.call<string>("network.create", { name_label: "Storage", other_config: {} });
  const vlan = await admin.call<string>("VLAN.create", nic, "42", network);
  admin.modify("PIF", await admin.call<string>("VLAN.get_untagged_PIF", vlan), {
    ip_configuration_mode: "Static",
    IP: "10.9.0.2",
    netmask: "255.255.255.0",
  });
  const found = await infrastructureOf(pool.newProcess(), { owner }, dom0(`${own?.address}/24`));
  expect(found).toEqual(["10.9.0.2/32", `${other?.address}/32`]);
});
