import { expect } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import type { Host } from "../../../provider/src/hosts/host.ts";
import { type PoolUnderTest, urnOf } from "./pool-under-test.ts";

const owner = urnOf("XenVif", "web1");
export const ipv4 = { address: "192.168.100.11/24", gateway: "192.168.100.1" };
export const web1 = { owner, vm: "Fedora server 1" };

/** Makes a network by way of its handler; resolves to its id. */
export async function makeNetwork(pool: PoolUnderTest, name = "Internal network"): Promise<string> {
  const given = { owner: urnOf("XenNetwork", name), nameLabel: name };
  const { inputs } = await xenNetworkHandler.check(pool.host, {}, given);
  return (await xenNetworkHandler.create(pool.host, inputs)).id;
}

/** The inputs as `check` returns them; a failure fails the test. */
export async function checked(host: Host, given: Props): Promise<Props> {
  const { inputs, failures } = await handler.check(host, {}, given);
  expect(failures).toEqual([]);
  return inputs;
}

/** Checks and creates, as an up would. */
export async function made(pool: PoolUnderTest, given: Props) {
  const inputs = await checked(pool.host, given);
  return { inputs, ...(await handler.create(pool.host, inputs)) };
}

/** The seeded VIF of the first server: the whole record as another client sees it, and its reference. */
export async function deviceZero(pool: PoolUnderTest): Promise<Props & { ref: string }> {
  return vifOn(pool, "Fedora server 1", "0");
}

/** The VIF on a device of a VM. */
export async function vifOn(pool: PoolUnderTest, vmName: string, device: string): Promise<Props & { ref: string }> {
  const vm = await pool.vmNamed(vmName);
  const all = await pool.simulator.admin.call<Record<string, Props>>("VIF.get_all_records");
  const found = Object.entries(all).find(([, vif]) => vif["VM"] === vm && vif["device"] === device);
  if (found === undefined) throw new Error(`VM "${vmName}" has no VIF on device ${device}`);
  return { ...found[1], ref: found[0] };
}

/** Starts a VM by name. */
export async function startVm(pool: PoolUnderTest, name = "Fedora server 1"): Promise<string> {
  const vm = await pool.vmNamed(name);
  await pool.simulator.admin.call("VM.start", vm, false, false);
  return vm;
}

/** Keys of ours that are on any VM; none is to stay after a destroy. */
export async function vmKeys(pool: PoolUnderTest): Promise<string[]> {
  const all = await pool.simulator.admin.call<Record<string, { other_config: object }>>("VM.get_all_records");
  return Object.values(all)
    .flatMap((vm) => Object.keys(vm.other_config))
    .filter((key) => key.startsWith("xennet:"));
}
