import { expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenVifHandler as handler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { type PoolUnderTest, startPool } from "./pool-under-test.ts";
import { ipv4, made, makeNetwork, startVm, web1 } from "./vif-under-test.ts";

const vm = "OpaqueRef:vm";

/** Every code that a VIF call can answer with (facts of xapi_vif.ml, message_forwarding.ml), by the call that is refused. */
const refusals: readonly (readonly [string, string, readonly string[]])[] = [
  ["VIF.create", "LICENCE_RESTRICTION", ["VIF_locking"]],
  ["VIF.create", "MAC_INVALID", [""]],
  ["VIF.create", "INVALID_DEVICE", ["1"]],
  ["VIF.create", "DEVICE_ALREADY_EXISTS", ["1"]],
  ["VIF.create", "HANDLE_INVALID", ["network", "OpaqueRef:net"]],
  ["VIF.create", "HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED", ["OpaqueRef:net"]],
  ["VIF.create", "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN", []],
  ["VIF.create", "RBAC_PERMISSION_DENIED", ["vif.create", ""]],
  ["VIF.plug", "OTHER_OPERATION_IN_PROGRESS", ["VIF", "OpaqueRef:vif", "plug"]],
  ["VIF.plug", "OPERATION_NOT_ALLOWED", ["The VM says that it has no VIF hotplug."]],
  ["VIF.plug", "VM_BAD_POWER_STATE", [vm, "running", "halted"]],
  ["VIF.plug", "VM_MISSING_PV_DRIVERS", [vm]],
  ["VIF.plug", "VM_OLD_PV_DRIVERS", [vm]],
  ["VIF.plug", "BRIDGE_NOT_AVAILABLE", ["lan7"]],
  ["VIF.plug", "HOST_CANNOT_ATTACH_NETWORK", ["OpaqueRef:host", "OpaqueRef:net"]],
  ["VIF.unplug", "DEVICE_DETACH_REJECTED", ["VIF", "OpaqueRef:vif", "in use"]],
  ["VIF.unplug", "DEVICE_DETACH_TIMEOUT", ["VIF", "OpaqueRef:vif"]],
  ["VIF.unplug", "OPERATION_NOT_ALLOWED", ["The VM is shutting down."]],
  ["VIF.move", "MESSAGE_METHOD_UNKNOWN", ["VIF.move"]],
  ["VIF.move", "HOST_CANNOT_ATTACH_NETWORK", ["OpaqueRef:host", "OpaqueRef:net"]],
  ["VIF.set_locking_mode", "LICENCE_RESTRICTION", ["VIF_locking"]],
  ["VIF.set_ipv4_allowed", "INVALID_IP_ADDRESS_SPECIFIED", ["ipv4_allowed"]],
  ["VIF.configure_ipv4", "INVALID_CIDR_ADDRESS_SPECIFIED", ["address"]],
  ["VIF.configure_ipv4", "ADDRESS_VIOLATES_LOCKING_CONSTRAINT", ["192.168.100.11"]],
  ["VIF.destroy", "OPERATION_NOT_ALLOWED", ["The VIF is attached to a VM that has a domain."]],
];

/** What provokes the call: a create for `VIF.create`, otherwise an update or a delete of a plugged VIF. */
async function provoke(pool: PoolUnderTest, method: string, code: string, params: readonly string[]): Promise<string> {
  await startVm(pool);
  const network = await makeNetwork(pool);
  const given = { ...web1, network, device: "1", lockingMode: "locked" };
  const fail = () => pool.simulator.faults.fail(method, code, params);
  if (method === "VIF.create") {
    fail();
    return messageOf(made(pool, given));
  }
  const { id, outs, inputs } = await made(pool, { ...given, plugged: method !== "VIF.plug" });
  const changes: Record<string, Props> = {
    "VIF.plug": { plugged: true },
    "VIF.unplug": { plugged: false },
    "VIF.move": { network: await makeNetwork(pool, "Other network") },
    "VIF.set_locking_mode": { lockingMode: "disabled" },
    "VIF.set_ipv4_allowed": { ipv4Allowed: ["192.168.100.0/24"] },
    "VIF.configure_ipv4": { ipv4, lockingMode: "unlocked" },
  };
  fail();
  const work =
    method === "VIF.destroy"
      ? handler.delete(pool.newProcess(), id, outs)
      : handler.update(pool.newProcess(), id, outs, { ...inputs, ...changes[method] });
  return messageOf(work);
}

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error = (await work.then(
    () => new Error("nothing failed"),
    (reason: unknown) => reason,
  )) as Error & { code?: string };
  return `${error.message} (${error.code})`.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uuid>");
}

test("every code of XAPI's becomes a message that names the VIF and says what to do", async () => {
  const messages: string[] = [];
  for (const [method, code, params] of refusals) {
    await using pool = await startPool();
    messages.push(`${method} ${await provoke(pool, method, code, params)}`);
  }
  expect(messages.join("\n")).toMatchInlineSnapshot(`
    "VIF.create device 1 of VM "Fedora server 1" (<uuid>) is to be made on network "Internal network", but the host's licence does not include "VIF_locking" (LICENCE_RESTRICTION). Leave lockingMode, ipv4Allowed and ipv6Allowed out, or license the host (XAPI_FAILURE)
    VIF.create device 1 of VM "Fedora server 1" (<uuid>) is to be made on network "Internal network", but "" is not a MAC address (MAC_INVALID). The VM has no other_config:mac_seed, from which XAPI derives a MAC address: declare mac (XAPI_FAILURE)
    VIF.create device 1 of VM "Fedora server 1" (<uuid>) is to be made on network "Internal network", but "1" is not a device number (INVALID_DEVICE) (XAPI_FAILURE)
    VIF.create device 1 of VM "Fedora server 1" (<uuid>) is to be made on network "Internal network", but the VM already has a VIF on device 1 (DEVICE_ALREADY_EXISTS). Somebody made it just now; run up again to see what is there (XAPI_FAILURE)
    VIF.create device 1 of VM "Fedora server 1" (<uuid>) is to be made on network "Internal network", but there is no network with the reference OpaqueRef:net (any more) (HANDLE_INVALID) (XAPI_FAILURE)
    VIF.create device 1 of VM "Fedora server 1" (<uuid>) is to be made on network "Internal network", but the VM is protected by high availability, which needs a network that all hosts share (HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED). Use a network that all hosts share, or take the VM out of high availability (xe vm-param-set uuid=<uuid> ha-restart-priority=) (XAPI_FAILURE)
    VIF.create device 1 of VM "Fedora server 1" (<uuid>) is to be made on network "Internal network", but it would break the pool's high-availability plan (HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN). Use a network that all hosts share, or take the VM out of high availability (xe vm-param-set uuid=<uuid> ha-restart-priority=) (XAPI_FAILURE)
    VIF.create device 1 of VM "Fedora server 1" (<uuid>) is to be made on network "Internal network", but the user's role does not include "vif.create"; use a user with the role pool-admin (RBAC_PERMISSION_DENIED) (XAPI_FAILURE)
    VIF.plug device 1 of VM "Fedora server 1" (<uuid>) is to be plugged into network "Internal network", but another operation (plug) is running on the VIF OpaqueRef:vif; try again when it has ended (OTHER_OPERATION_IN_PROGRESS). Run up again when it has ended (VIF_NOT_PLUGGED)
    VIF.plug device 1 of VM "Fedora server 1" (<uuid>) is to be plugged into network "Internal network", but the host does not allow it now: The VM says that it has no VIF hotplug. (OPERATION_NOT_ALLOWED). Shut the VM down (in the guest, or xe vm-shutdown uuid=<uuid>) and run up again (VIF_NOT_PLUGGED)
    VIF.plug device 1 of VM "Fedora server 1" (<uuid>) is to be plugged into network "Internal network", but the VM must be running, and is halted (VM_BAD_POWER_STATE). Let it run (xe vm-unpause uuid=<uuid>, or vm-resume), or shut it down; then run up again (VIF_NOT_PLUGGED)
    VIF.plug device 1 of VM "Fedora server 1" (<uuid>) is to be plugged into network "Internal network", but the VM has no paravirtual drivers (guest tools); shut it down first, or install them (VM_MISSING_PV_DRIVERS). Shut the VM down (in the guest, or xe vm-shutdown uuid=<uuid>) and run up again (VIF_NOT_PLUGGED)
    VIF.plug device 1 of VM "Fedora server 1" (<uuid>) is to be plugged into network "Internal network", but the VM's paravirtual drivers (guest tools) are too old; shut it down first, or update them (VM_OLD_PV_DRIVERS). Shut the VM down (in the guest, or xe vm-shutdown uuid=<uuid>) and run up again (VIF_NOT_PLUGGED)
    VIF.plug device 1 of VM "Fedora server 1" (<uuid>) is to be plugged into network "Internal network", but the bridge "lan7" does not exist on the host (BRIDGE_NOT_AVAILABLE). The network is not managed by XAPI; make its bridge on the host, or use another network (VIF_NOT_PLUGGED)
    VIF.plug device 1 of VM "Fedora server 1" (<uuid>) is to be plugged into network "Internal network", but the host OpaqueRef:host cannot reach the network OpaqueRef:net (HOST_CANNOT_ATTACH_NETWORK). The network carries traffic on one host at a time, and is in use on another one; move the VM there, or shut it down, then run up again (VIF_NOT_PLUGGED)
    VIF.unplug device 1 of VM "Fedora server 1" (<uuid>) is to be unplugged, but the guest refused to let go of the VIF: in use (DEVICE_DETACH_REJECTED). Stop what uses the interface in the guest, or shut the VM down (xe vm-shutdown uuid=<uuid>); then run up again (VIF_NOT_UNPLUGGED)
    VIF.unplug device 1 of VM "Fedora server 1" (<uuid>) is to be unplugged, but the guest did not let go of the VIF in time (DEVICE_DETACH_TIMEOUT). Shut the VM down (in the guest, or xe vm-shutdown uuid=<uuid>) and run up again (VIF_NOT_UNPLUGGED)
    VIF.unplug device 1 of VM "Fedora server 1" (<uuid>) is to be unplugged, but the host does not allow it now: The VM is shutting down. (OPERATION_NOT_ALLOWED). Shut the VM down (in the guest, or xe vm-shutdown uuid=<uuid>) and run up again (VIF_NOT_UNPLUGGED)
    VIF.move device 1 of VM "Fedora server 1" (<uuid>) is to be moved to network "Other network", but the host does not know the call VIF.move; its version may be too old (MESSAGE_METHOD_UNKNOWN) (XAPI_FAILURE)
    VIF.move device 1 of VM "Fedora server 1" (<uuid>) is to be moved to network "Other network", but the host OpaqueRef:host cannot reach the network OpaqueRef:net (HOST_CANNOT_ATTACH_NETWORK). The network carries traffic on one host at a time, and is in use on another one; move the VM there, or shut it down, then run up again (XAPI_FAILURE)
    VIF.set_locking_mode device 1 of VM "Fedora server 1" (<uuid>) is to be changed, but the host's licence does not include "VIF_locking" (LICENCE_RESTRICTION). Leave lockingMode, ipv4Allowed and ipv6Allowed out, or license the host (XAPI_FAILURE)
    VIF.set_ipv4_allowed device 1 of VM "Fedora server 1" (<uuid>) is to be changed, but the address is not an IP address (INVALID_IP_ADDRESS_SPECIFIED). Hosts before XCP-ng 8.3 take single addresses only, without a prefix length: correct ipv4Allowed or ipv6Allowed (XAPI_FAILURE)
    VIF.configure_ipv4 device 1 of VM "Fedora server 1" (<uuid>) is to be changed, but the address is not in CIDR form (INVALID_CIDR_ADDRESS_SPECIFIED) (XAPI_FAILURE)
    VIF.configure_ipv4 device 1 of VM "Fedora server 1" (<uuid>) is to be changed, but the VIF's locking does not allow the address (ADDRESS_VIOLATES_LOCKING_CONSTRAINT). Add the address to ipv4Allowed, or choose another lockingMode (XAPI_FAILURE)
    VIF.destroy device 1 of VM "Fedora server 1" (<uuid>) is to be destroyed, but the host does not allow it now: The VIF is attached to a VM that has a domain. (OPERATION_NOT_ALLOWED). Shut the VM down (in the guest, or xe vm-shutdown uuid=<uuid>) and run up again (XAPI_FAILURE)"
  `);
});

test("what is there already counts as done: plugging what is plugged, unplugging what is unplugged, destroying what is gone", async () => {
  await using pool = await startPool();
  await startVm(pool);
  const given = { ...web1, network: await makeNetwork(pool), device: "1", plugged: false };
  const { id, outs, inputs } = await made(pool, given);
  pool.simulator.faults.fail("VIF.plug", "DEVICE_ALREADY_ATTACHED", ["OpaqueRef:vif"]);
  const plugged = await handler.update(pool.newProcess(), id, outs, { ...inputs, plugged: true });
  expect(plugged.outs["drift"]).toEqual(["not plugged, though its VM runs"]);
  const again = await handler.update(pool.newProcess(), id, plugged.outs, { ...inputs, plugged: true });
  pool.simulator.faults.fail("VIF.unplug", "DEVICE_ALREADY_DETACHED", ["OpaqueRef:vif"]);
  await handler.update(pool.newProcess(), id, again.outs, inputs);
  await handler.update(pool.newProcess(), id, again.outs, inputs);
  pool.simulator.faults.fail("VIF.destroy", "HANDLE_INVALID", ["VIF", "OpaqueRef:vif"]);
  await handler.delete(pool.newProcess(), id, outs);
});
