import { describe, expect, onTestFinished, test } from "vitest";
import { createClient } from "xen-api";
import { legs } from "../support/legs.ts";
import { password, simulate, vifRecord } from "./fixtures.ts";
import type { SimulatedHost, Simulator, SimulatorOptions } from "./simulator.ts";

/** Without XenServer 5.6, whose older events are not served, and with what each release speaks. */
const spoken = [
  ["xcp-ng-8.3", "json-rpc"],
  ["xcp-ng-8.3", "xml-rpc"],
  ["xcp-ng-8.2", "json-rpc"],
  ["xcp-ng-8.2", "xml-rpc"],
  ["xenserver-6.2", "xml-rpc"],
] as const;

/** XAPI's own names, with which the client finds out what to watch. */
const watched = [
  "Bond",
  "PBD",
  "PIF",
  "PIF_metrics",
  "VIF",
  "VIF_metrics",
  "VLAN",
  "VM",
  "VM_guest_metrics",
  "VM_metrics",
];
const watchedToo = ["host", "host_metrics", "network", "pool", "task"];

describe.each(legs<(typeof spoken)[number]>(...spoken).map(([profile, transport]) => ({ profile, transport })))(
  "the npm package xen-api over $transport on $profile",
  ({ profile, transport }) => {
    // XAPI writes integers without a type over XML, and the client leaves them as they come.
    const int = (value: number) => (transport === "xml-rpc" ? String(value) : value);
    async function connected(options: Partial<SimulatorOptions> = {}) {
      // The client cannot be told to take the old suites, which OpenSSL 3.5 refuses by default.
      const simulator = await simulate({ profile, tls: "modern", ...options });
      return { simulator, xapi: await connectTo(simulator, simulator, transport) };
    }

    test("connects, and knows every object of every class after its first look", async () => {
      const { simulator, xapi } = await connected();
      await xapi.objectsFetched;
      expect(xapi.pool.uuid).toBe(simulator.poolUuid);
      const objects = Object.values(xapi.objects.all);
      const count = (type: string) => objects.filter((object) => object.$type === type).length;
      expect([count("host"), count("network"), count("VM"), count("VIF"), count("PIF")]).toEqual([1, 2, 4, 2, 1]);
      const asked = simulator.calls.filter(({ method }) => method.endsWith(".get_all_records"));
      expect(new Set(asked.map(({ method }) => method.split(".")[0]))).toEqual(new Set([...watched, ...watchedToo]));
      expect(simulator.calls.filter(({ error }) => error !== undefined)).toEqual([]);
    });

    test("calls, and sees its own change and another's after a barrier", async () => {
      const { simulator, xapi } = await connected();
      await xapi.objectsFetched;
      const ref = await xapi.call<string>("network.create", { other_config: {}, name_label: "Internal" });
      const network = await xapi.barrier(ref);
      expect(network).toMatchObject({ $type: "network", name_label: "Internal", bridge: "xapi0", MTU: int(1500) });
      await simulator.admin.call("network.set_name_label", ref, "Renamed");
      expect(await xapi.barrier(ref)).toMatchObject({ name_label: "Renamed" });
      await xapi.setFieldEntry("network", ref, "other_config", "automatic", "false");
      await xapi.setFieldEntry("network", ref, "other_config", "automatic", "true");
      expect((await xapi.barrier(ref))["other_config"]).toEqual({ automatic: "true" });
      await xapi.call("network.destroy", ref);
      await xapi.barrier();
      expect(xapi.getObjectByRef(ref, undefined)).toBeUndefined();
    });

    test("runs an asynchronous call as a task, gets its result or its failure, and leaves no task", async () => {
      const { simulator, xapi } = await connected();
      await xapi.objectsFetched;
      const [vm = ""] = await xapi.call<string[]>("VM.get_by_name_label", "Fedora server 1");
      await xapi.callAsync("VM.start", vm, false, false);
      expect(await xapi.barrier(vm)).toMatchObject({ power_state: "Running", domid: int(1) });
      const network = await xapi.callAsync<string>("network.create", { other_config: {} });
      const vif = await xapi.callAsync<string>("VIF.create", { ...vifRecord(vm, network, "1"), MTU: 1500 });
      await xapi.callAsync("VIF.plug", vif);
      expect(await xapi.barrier(vif)).toMatchObject({ currently_attached: true, network, device: "1" });
      const again = xapi.callAsync("VIF.plug", vif);
      await expect(again).rejects.toMatchObject({ code: "DEVICE_ALREADY_ATTACHED", params: [vif] });
      await expect.poll(() => simulator.admin.call("task.get_all")).toEqual([]);
    });

    test("logs in again when its session is gone, and goes on watching", async () => {
      const { simulator, xapi } = await connected();
      await xapi.objectsFetched;
      const before = xapi.sessionId;
      simulator.faults.expireSessionsAfter(0);
      const ref = await xapi.call<string>("network.create", { other_config: {}, name_label: "after" });
      expect(xapi.sessionId).not.toBe(before);
      expect(simulator.countCalls("session.login_with_password")).toBe(2);
      expect(await xapi.barrier(ref)).toMatchObject({ name_label: "after" });
    });

    test("follows a pool member to its master", async () => {
      const { simulator, xapi } = await connected({ hosts: 2 });
      await xapi.objectsFetched;
      const [, second] = simulator.hosts;
      if (second === undefined) throw new Error("The pool has one host.");
      const viaMember = await connectTo(simulator, second, transport);
      expect(viaMember.pool.uuid).toBe(simulator.poolUuid);
      expect(simulator.calls.filter(({ host }) => host === 1)).toMatchObject([{ error: "HOST_IS_SLAVE" }]);
    });
  },
);

async function connectTo(simulator: Simulator, { url }: SimulatedHost, transport: "json-rpc" | "xml-rpc") {
  const auth = { user: "root", password };
  const xapi = createClient({ url, auth, transport, allowUnauthorized: true, debounce: 10, eventPollDelay: 10 });
  // It does not wait for its logout, and complains on stderr of a server that ends before.
  onTestFinished(async () => {
    const open = simulator.openSessions();
    await xapi.disconnect();
    await expect.poll(() => simulator.openSessions()).toBeLessThan(open);
  });
  await xapi.connect();
  return xapi;
}
