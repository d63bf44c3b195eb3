import { afterAll, beforeAll, expect, test } from "vitest";
import { hostForwardingHandler } from "../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../provider/src/handlers/forwarding/port-forward.ts";
import type { Props } from "../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../provider/src/handlers/network/xen-network.ts";
import { eventually } from "../support/eventually.ts";
import { type Declared, declare, declareForward, declareForwarding, declareGuests } from "./handlers/declared-host.ts";
import { provider, urnOf } from "./handlers/host-under-test.ts";
import { type Host, startHost } from "./host.ts";
import { program } from "./host-program/box.ts";
import { hostForwarding, newToken, pendingOf, portForward, put, transaction } from "./host-program/declarations.ts";
import { captureHost, compareHosts } from "./same-host.ts";

let host: Host;
let run: ReturnType<typeof provider>;
let network: Declared;

beforeAll(async () => {
  host = await startHost({ cronSpeed: 60 });
  run = provider(host);
  network = await declareGuests(host, run.process());
});
afterAll(async () => {
  await run?.[Symbol.asyncDispose]();
  await host?.close();
});

const none = { persistence: "none" };
const web = { externalPort: 8080, target: "192.168.100.11", targetPort: 80 };
const capture = () => captureHost(host.lab, host.simulator);
const ask = async () => (await host.lab.clientGet("http://192.168.1.10:8080/", 300)).kind;
const answers = () => eventually(async () => expect(await ask()).toBe("answered"), 20_000);

async function onDom0(script: string): Promise<string> {
  const { status, stdout, stderr } = await host.lab.runInDom0(`set -e\n${script}`);
  expect({ status, stderr }, script).toEqual({ status: 0, stderr: "" });
  return stdout;
}

async function reboot(): Promise<void> {
  await run.end();
  await host.rebootDom0();
}

async function startGuest(): Promise<void> {
  const [vm = ""] = await host.simulator.admin.call<string[]>("VM.get_by_name_label", "Fedora server 1");
  await host.simulator.admin.call("VM.start", vm, false, false);
}

/** What is on the disk beyond the declarations and the program that reads them. */
const otherFiles = (differences: readonly string[]) =>
  differences.filter(
    (line) => line.startsWith("file ") && !/^file \/(etc\/xennet|usr\/local\/sbin\/xennet)/.test(line),
  );

test("what is not to persist leaves nothing that acts after a reboot, and another stack's declaration makes all persist", async () => {
  const before = await capture();
  const nat = await declareForwarding(run.process(), network, none);
  const forward = await declareForward(run.process(), nat, web);
  await answers();
  expect(nat.outs["files"]).toEqual(["/usr/local/sbin/xennet", "/etc/xennet"]);
  expect(run.warnings).toEqual([]);
  expect(otherFiles(compareHosts(before, await capture()))).toEqual([]);

  await reboot();
  await startGuest();
  expect(await onDom0("iptables-save 2>/dev/null | grep XENNET- || true; ip -4 addr")).not.toMatch(
    /XENNET|192\.168\.100/,
  );
  expect(await ask()).toBe("unreachable");
  expect(otherFiles(compareHosts(before, await capture()))).toEqual([]);
  const found = await hostForwardingHandler.read(run.process(), nat.id, nat.outs);
  expect((found.props["drift"] as string[]).length).toBeGreaterThan(3);
  await hostForwardingHandler.update(run.process(), nat.id, nat.outs, found.props as Props);
  await answers();
  expect(run.warnings).toEqual([]);

  const other = await declare(xenNetworkHandler, run.process(), {
    ...{ owner: urnOf("XenNetwork", "other", "prod"), nameLabel: "Other network" },
  });
  const auto = await declare(hostForwardingHandler, run.process(), {
    ...{ owner: urnOf("HostForwarding", "nat", "prod"), network: other.id, address: "10.77.0.1/24" },
  });
  expect(auto.outs["files"]).toContain("/etc/cron.d/xennet");
  await reboot();
  await startGuest();
  await answers();

  await hostForwardingHandler.update(run.process(), nat.id, nat.outs, found.props as Props);
  expect(await onDom0("ls /etc/cron.d/xennet")).not.toBe("");
  await hostForwardingHandler.delete(run.process(), auto.id, auto.outs);
  await xenNetworkHandler.delete(run.process(), other.id, other.outs);
  expect(otherFiles(compareHosts(before, await capture()))).toEqual([]);
  expect(await ask()).toBe("answered");

  await portForwardHandler.delete(run.process(), forward.id, forward.outs);
  await hostForwardingHandler.delete(run.process(), nat.id, nat.outs);
  expect(otherFiles(compareHosts(before, await capture()))).toEqual([]);
  expect(await onDom0("ls -d /etc/xennet /usr/local/sbin/xennet 2>/dev/null || true")).toBe("");
});

test("without persistence an up says that nobody puts the address on a bridge that comes later", async () => {
  const owner = urnOf("XenNetwork", "empty");
  const empty = await declare(xenNetworkHandler, run.process(), { owner, nameLabel: "Network without VMs" });
  const nat = await declareForwarding(run.process(), empty, none);
  expect(run.warnings.splice(0)).toEqual([
    expect.stringContaining('with persistence: "none" the host does not put the address there'),
  ]);
  await hostForwardingHandler.delete(run.process(), nat.id, nat.outs);
  await xenNetworkHandler.delete(run.process(), empty.id, empty.outs);
});

/** A change as the provider makes it, which nobody confirms. */
async function changeUnconfirmed(operations: readonly string[], window: number) {
  await onDom0(
    `cat >/usr/local/sbin/xennet <<'END_OF_PROGRAM'\n${program()}END_OF_PROGRAM\nchmod 700 /usr/local/sbin/xennet`,
  );
  const stdout = await onDom0(`xennet transact <<'END'\n${transaction(host.lab, operations, window)}END`);
  return pendingOf({ code: 0, stdout, stderr: "" });
}

const uuid = () => network.id.split("/")[1] ?? "";
const notPersisting = (token: string) =>
  put(token, hostForwarding({ network: uuid() }, token, { settings: ["persistence none"] }));

test("a first change that is not to persist and that a power cut leaves unconfirmed leaves nothing at all", async () => {
  await reboot();
  const before = await capture();
  await changeUnconfirmed([notPersisting(newToken())], 600);
  await host.powerCut();
  await eventually(async () => expect(compareHosts(before, await capture())).toEqual([]), 20_000);
});

test("an unconfirmed change of what is not to persist is taken back by the host within its window", async () => {
  await startGuest();
  const before = await capture();
  const took = async (what: string, undone: () => Promise<void>) => {
    const from = performance.now();
    await eventually(undone, 20_000);
    const milliseconds = Math.round(performance.now() - from);
    console.log(`${what}, window 3 s: taken back after ${milliseconds} ms`);
    expect(milliseconds).toBeLessThan(10_000);
  };
  const token = newToken();
  await changeUnconfirmed([notPersisting(token)], 3);
  expect(await onDom0("iptables-save")).toContain(token);
  await took("first change", async () => expect(compareHosts(before, await capture())).toEqual([]));

  const first = await changeUnconfirmed([notPersisting(token)], 60);
  await onDom0(`xennet confirm ${first} >/dev/null; [ ! -e /etc/cron.d/xennet ]`);
  const confirmed = await onDom0("iptables-save | grep XENNET-");
  const lost = newToken();
  await changeUnconfirmed([put(lost, portForward({ network: uuid() }, lost, 8080))], 3);
  expect(await onDom0("iptables-save")).toContain(lost);
  await took("second change", async () => expect(await onDom0("iptables-save | grep XENNET-")).toBe(confirmed));
  await onDom0("xennet remove");
});
