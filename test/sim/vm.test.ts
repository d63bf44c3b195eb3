import { expect, onTestFinished, test } from "vitest";
import type { Backplane } from "./backplane.ts";
import { connect, simulate, vifRecord, vmByName } from "./fixtures.ts";
import type { Value } from "./simulator.ts";

/** Writes down what the lab would be asked to do. */
function recordingBackplane(): { backplane: Backplane; log: string[] } {
  const log: string[] = [];
  const note = (entry: string) => {
    log.push(entry);
    return Promise.resolve();
  };
  return {
    log,
    backplane: {
      startGuest: (guest) => note(`start ${guest.name} as ${guest.domid}`),
      stopGuest: (guest) => note(`stop ${guest.name} as ${guest.domid}`),
      plugVif: (vif) => note(`plug ${vif.guest.domid}.${vif.device} ${vif.bridge}${vif.internal ? " internal" : ""}`),
      unplugVif: (vif) => note(`unplug ${vif.guest.domid}.${vif.device} ${vif.bridge}`),
      moveVif: (vif, from, internal) => note(`move ${vif.device} ${from}${internal ? " internal" : ""} ${vif.bridge}`),
      configureIpv4: (vif, ipv4) => note(`ipv4 ${vif.device} ${ipv4?.address ?? "none"}`),
      removeBridge: (bridge) => note(`bridge ${bridge} removed`),
      networksChanged: (networks) => note(`networks ${networks.map((one) => one.bridge).join(" ")}`),
    },
  };
}

test("starting a VM builds a domain with a new number and attaches its VIFs", async () => {
  const client = await connect(await simulate());
  const vm = await vmByName(client, "Fedora server 1");
  await client.call("VM.start", vm, false, false);
  const [host] = await client.call<string[]>("host.get_all");
  expect(await client.call("VM.get_record", vm)).toMatchObject({
    power_state: "Running",
    domid: "1",
    resident_on: host,
  });
  await client.call("VM.clean_shutdown", vm);
  expect(await client.call("VM.get_record", vm)).toMatchObject({ power_state: "Halted", domid: "-1" });
  await client.call("VM.start", vm, false, false);
  expect(await client.call("VM.get_domid", vm)).toBe("2");
});

test("power calls that do not fit the state say which state they want and found", async () => {
  const client = await connect(await simulate());
  const vm = await vmByName(client, "Fedora server 1");
  await expect(client.call("VM.clean_shutdown", vm)).rejects.toThrow(`VM_BAD_POWER_STATE ${vm} running halted`);
  await client.call("VM.start", vm, false, false);
  await expect(client.call("VM.start", vm, false, false)).rejects.toThrow(`VM_BAD_POWER_STATE ${vm} halted running`);
});

test("templates and the control domain are not started", async () => {
  const client = await connect(await simulate());
  const template = await vmByName(client, "Other install media");
  await expect(client.call("VM.start", template, false, false)).rejects.toThrow(`VM_IS_TEMPLATE ${template}`);
  const dom0 = await vmByName(client, "Control domain on host: xenserver-lab");
  await expect(client.call("VM.hard_shutdown", dom0)).rejects.toThrow(/^OPERATION_NOT_ALLOWED/);
});

test("a guest without drivers cannot be shut down cleanly", async () => {
  const simulator = await simulate();
  const client = await connect(simulator);
  const vm = await vmByName(client, "Fedora server 1");
  simulator.admin.setGuestTools(vm, { pvDrivers: false });
  await client.call("VM.start", vm, false, false);
  await expect(client.call("VM.clean_shutdown", vm)).rejects.toThrow(`VM_LACKS_FEATURE ${vm}`);
  await client.call("VM.hard_shutdown", vm);
  expect(await client.call("VM.get_power_state", vm)).toBe("Halted");
});

test("the lab is asked in the order in which a host does it", async () => {
  const { backplane, log } = recordingBackplane();
  const client = await connect(await simulate({ backplane }));
  const network = await client.call<string>("network.create", { other_config: {} });
  const other = await client.call<string>("network.create", { other_config: {} });
  const vm = await vmByName(client, "Fedora server 1");
  const vif = await client.call<string>("VIF.create", vifRecord(vm, network, "1"));
  await client.call("VM.start", vm, false, false);
  await client.call("VIF.configure_ipv4", vif, "Static", "192.168.100.11/24", "192.168.100.1");
  await client.call("VIF.move", vif, other);
  await client.call("VIF.unplug", vif);
  await client.call("VM.clean_shutdown", vm);
  await client.call("network.destroy", other);
  expect(log).toEqual([
    "networks xenbr0 xenapi",
    "networks xenbr0 xenapi xapi0",
    "networks xenbr0 xenapi xapi0 xapi1",
    "start Fedora server 1 as 1",
    "plug 1.0 xenbr0",
    "plug 1.1 xapi0 internal",
    "ipv4 1 192.168.100.11/24",
    "move 1 xapi0 internal xapi1",
    "unplug 1.1 xapi1",
    "unplug 1.0 xenbr0",
    "stop Fedora server 1 as 1",
    "networks xenbr0 xenapi xapi0",
  ]);
});

test("a start that fails half-way leaves the VM halted and its ports taken away", async () => {
  const { backplane, log } = recordingBackplane();
  const refuse = (): Promise<void> => Promise.reject(new Error("no such bridge"));
  const failing: Backplane = {
    ...backplane,
    plugVif: (vif) => (vif.device === "1" ? refuse() : backplane.plugVif(vif)),
  };
  const client = await connect(await simulate({ backplane: failing }));
  const network = await client.call<string>("network.create", { other_config: {} });
  const vm = await vmByName(client, "Fedora server 1");
  await client.call("VIF.create", vifRecord(vm, network, "1"));
  await expect(client.call("VM.start", vm, false, false)).rejects.toThrow(/^INTERNAL_ERROR .*no such bridge/);
  expect(await client.call("VM.get_record", vm)).toMatchObject({ power_state: "Halted", domid: "-1" });
  expect(log.slice(-3)).toEqual(["plug 1.0 xenbr0", "unplug 1.0 xenbr0", "stop Fedora server 1 as 1"]);
});

test("operations on one VM wait for each other instead of failing", async () => {
  const { backplane } = recordingBackplane();
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const simulator = await simulate({ backplane: { ...backplane, startGuest: () => gate } });
  onTestFinished(() => release());
  const client = await connect(simulator);
  const vm = await vmByName(client, "Fedora server 1");
  const starting = client.call("VM.start", vm, false, false);
  await expect.poll(() => client.call("VM.get_current_operations", vm)).not.toEqual({});
  const stopping = client.call("VM.clean_shutdown", vm);
  await expect.poll(() => simulator.countCalls("VM.clean_shutdown")).toBe(1);
  expect(await client.call("VM.get_allowed_operations", vm)).toEqual([]);
  release();
  await Promise.all([starting, stopping]);
  expect(await client.call("VM.get_record", vm)).toMatchObject({ power_state: "Halted", current_operations: {} });
});

test("a VM stops although one of its VIFs is destroyed meanwhile", async () => {
  const { backplane } = recordingBackplane();
  let meanwhile = async (): Promise<void> => {};
  const client = await connect(await simulate({ backplane: { ...backplane, unplugVif: () => meanwhile() } }));
  const vm = await vmByName(client, "Fedora server 1");
  await client.call("VM.start", vm, false, false);
  const [network = ""] = await client.call<string[]>("network.get_all");
  // Not plugged, so nothing keeps it while the one before it is unplugged.
  const vif = await client.call<string>("VIF.create", vifRecord(vm, network, "1"));
  meanwhile = async () => void (await client.call("VIF.destroy", vif));
  await client.call("VM.hard_shutdown", vm);
  expect(await client.call("VM.get_record", vm)).toMatchObject({ power_state: "Halted" });
  expect(await client.call<string[]>("VM.get_VIFs", vm)).toHaveLength(1);
});

test("a clone has new MACs and the marks of its original, a snapshot the same MACs", async () => {
  const client = await connect(await simulate());
  const vm = await vmByName(client, "Fedora server 1");
  const [network = ""] = await client.call<string[]>("network.get_all");
  await client.call("VIF.create", vifRecord(vm, network, "1", { other_config: { "xennet:owner": "x" } }));
  const vifs = async (of: string) => {
    const refs = await client.call<string[]>("VM.get_VIFs", of);
    return Promise.all(refs.map((ref) => client.call<Record<string, Value>>("VIF.get_record", ref)));
  };
  const clone = await client.call<string>("VM.clone", vm, "copy");
  const snapshot = await client.call<string>("VM.snapshot", vm, "before");
  const marks = [{}, { "xennet:owner": "x" }];
  expect((await vifs(clone)).map((vif) => vif["other_config"])).toEqual(marks);
  expect((await vifs(snapshot)).map((vif) => vif["other_config"])).toEqual(marks);
  const macs = async (of: string) => (await vifs(of)).map((vif) => vif["MAC"]);
  expect(await macs(snapshot)).toEqual(await macs(vm));
  expect(await macs(clone)).not.toEqual(await macs(vm));
  expect(await client.call("VM.get_record", snapshot)).toMatchObject({ is_a_snapshot: true, snapshot_of: vm });
});

test("a revert makes the VIFs anew: other UUIDs, same device, MAC and marks", async () => {
  const client = await connect(await simulate());
  const vm = await vmByName(client, "Fedora server 1");
  const [vif = ""] = await client.call<string[]>("VM.get_VIFs", vm);
  const before = await client.call<Record<string, Value>>("VIF.get_record", vif);
  const snapshot = await client.call<string>("VM.snapshot", vm, "before");
  await client.call("VIF.destroy", vif);
  await client.call("VM.revert", snapshot);
  const [again = ""] = await client.call<string[]>("VM.get_VIFs", vm);
  const after = await client.call<Record<string, Value>>("VIF.get_record", again);
  expect(after).toEqual({ ...before, uuid: after["uuid"] });
  expect(after["uuid"]).not.toBe(before["uuid"]);
});

test("destroying a VM takes its VIFs along", async () => {
  const client = await connect(await simulate());
  const vm = await vmByName(client, "Fedora server 2");
  const [vif = ""] = await client.call<string[]>("VM.get_VIFs", vm);
  await client.call("VM.destroy", vm);
  await expect(client.call("VIF.get_uuid", vif)).rejects.toThrow(`HANDLE_INVALID VIF ${vif}`);
});
