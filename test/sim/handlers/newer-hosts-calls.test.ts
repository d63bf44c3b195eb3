import { expect, test } from "vitest";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { xenVifHandler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { legs } from "../../support/legs.ts";
import { OneResourceStack } from "../lifecycle/one-resource-stack.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";
import { ipv4, makeNetwork, startVm, web1 } from "./vif-under-test.ts";

const newer = () => legs("xcp-ng-8.3", "xcp-ng-8.2");

/**
 * Every call of a command, in the order of names: those of one look at the pool are made at once. How often it looks, logs
 * in anew after an idle while, and asks for the end of a task depends on the time that the command takes.
 */
async function callsOf(pool: PoolUnderTest, command: () => Promise<unknown>): Promise<string[]> {
  const first = pool.simulator.countCalls();
  await command();
  const made = pool.simulator.calls
    .slice(first)
    .map(({ method }) => method)
    .filter((method) => method !== "session.logout");
  const looks = new Set(made.filter((method) => isLook(method)));
  return [...made.filter((method) => !isLook(method)), ...looks].sort();
}

function isLook(method: string): boolean {
  return method.endsWith(".get_all_records") || /^(session|task)\./.test(method);
}

test.each(newer())("what older hosts lack costs %s no call: a VIF that is taken over", async (profile) => {
  await using pool = await startPool({ profile });
  await startVm(pool);
  const [first, second] = [await makeNetwork(pool), await makeNetwork(pool, "Other network")];
  const stack = new OneResourceStack(pool, xenVifHandler);
  const given = { ...web1, network: first, device: "0", onDeviceConflict: "takeOver", ipv4 };
  const calls = {
    up: await callsOf(pool, () => stack.up(given)),
    upAgain: await callsOf(pool, () => stack.up(given)),
    refresh: await callsOf(pool, () => stack.refresh()),
    move: await callsOf(pool, () => stack.up({ ...given, network: second })),
    destroy: await callsOf(pool, () => stack.destroy()),
  };
  expect(calls).toMatchInlineSnapshot(`
    {
      "destroy": [
        "VIF.configure_ipv4",
        "VIF.get_all_records",
        "VIF.get_record",
        "VIF.get_record",
        "VIF.move",
        "VIF.set_other_config",
        "VM.get_all_records",
        "host.get_all_records",
        "network.get_all_records",
        "pool.get_all_records",
        "session.login_with_password",
        "task.destroy",
        "task.get_record",
      ],
      "move": [
        "VIF.get_all_records",
        "VIF.get_record",
        "VIF.get_record",
        "VIF.move",
        "VM.get_all_records",
        "VM_guest_metrics.get_all_records",
        "host.get_all_records",
        "network.get_all_records",
        "pool.get_all_records",
        "session.login_with_password",
        "task.destroy",
        "task.get_record",
      ],
      "refresh": [
        "VIF.get_all_records",
        "VM.get_all_records",
        "VM_guest_metrics.get_all_records",
        "host.get_all_records",
        "network.get_all_records",
        "pool.get_all_records",
        "session.login_with_password",
      ],
      "up": [
        "VIF.configure_ipv4",
        "VIF.get_all_records",
        "VIF.get_record",
        "VIF.get_record",
        "VIF.get_record",
        "VIF.move",
        "VIF.set_other_config",
        "VM.get_all_records",
        "VM_guest_metrics.get_all_records",
        "host.get_all_records",
        "network.get_all_records",
        "pool.get_all_records",
        "session.login_with_password",
        "task.destroy",
        "task.get_record",
      ],
      "upAgain": [
        "VIF.get_all_records",
        "VM.get_all_records",
        "host.get_all_records",
        "network.get_all_records",
        "pool.get_all_records",
        "session.login_with_password",
      ],
    }
  `);
});

test.each(newer())("what older hosts lack costs %s no call: a network", async (profile) => {
  await using pool = await startPool({ profile });
  const stack = new OneResourceStack(pool, xenNetworkHandler);
  const given = { owner: urnOf("XenNetwork", "net"), nameLabel: "n", bridge: "lan7", defaultLockingMode: "disabled" };
  const calls = {
    up: await callsOf(pool, () => stack.up(given)),
    upAgain: await callsOf(pool, () => stack.up(given)),
    refresh: await callsOf(pool, () => stack.refresh()),
    update: await callsOf(pool, () => stack.up({ ...given, mtu: 9000, defaultLockingMode: "unlocked" })),
    destroy: await callsOf(pool, () => stack.destroy()),
  };
  expect(calls).toMatchInlineSnapshot(`
    {
      "destroy": [
        "VIF.get_all_records",
        "VM.get_all_records",
        "host.get_all_records",
        "network.destroy",
        "network.get_all_records",
        "network.get_by_uuid",
        "pool.get_all_records",
        "session.login_with_password",
      ],
      "refresh": [
        "VIF.get_all_records",
        "VM.get_all_records",
        "host.get_all_records",
        "network.get_all_records",
        "pool.get_all_records",
        "session.login_with_password",
      ],
      "up": [
        "PIF.get_all_records",
        "VIF.get_all_records",
        "VM.get_all_records",
        "host.get_all_records",
        "network.create",
        "network.get_all_records",
        "network.set_default_locking_mode",
        "pool.get_all_records",
        "session.login_with_password",
      ],
      "upAgain": [
        "PIF.get_all_records",
        "VIF.get_all_records",
        "VM.get_all_records",
        "host.get_all_records",
        "network.get_all_records",
        "pool.get_all_records",
        "session.login_with_password",
      ],
      "update": [
        "PIF.get_all_records",
        "VIF.get_all_records",
        "VM.get_all_records",
        "host.get_all_records",
        "network.get_all_records",
        "network.set_MTU",
        "network.set_default_locking_mode",
        "pool.get_all_records",
        "session.login_with_password",
      ],
    }
  `);
});
