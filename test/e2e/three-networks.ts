import { expect } from "vitest";
import { ownRules } from "../lab/own-rules.ts";
import { run } from "../lab/shell.ts";
import type { Deployment } from "./deployment.ts";
import { answers } from "./web.ts";

const client = "192.168.1.50";

/** Three networks, five VIFs on the two VMs, three forwardings, five forwards. The VMs run on through `up` and `destroy`. */
export const threeNetworks = `
const networks = { a: {}, b: { mtu: 9000 }, c: { bridge: "shopbr" } };
const nat = {};
for (const [index, [name, given]] of Object.entries(networks).entries()) {
  networks[name] = new XenNetwork(name, { nameLabel: "Network " + name, ...given });
  nat[name] = new HostForwarding("nat-" + name, { network: networks[name], address: "10.20." + index + ".1/24" });
}
const vif = (number, device, name, index, gateway) => new XenVif("vif" + number + name, {
  vm: "Fedora server " + number, network: networks[name], device,
  ipv4: { address: "10.20." + index + ".1" + number + "/24", ...(gateway ? { gateway: "10.20." + index + ".1" } : {}) },
});
vif(1, 1, "a", 0, true);
vif(1, 2, "b", 1, false);
vif(1, 3, "c", 2, false);
vif(2, 1, "a", 0, false);
vif(2, 2, "b", 1, true);
const forward = (externalPort, name, target, targetPort) =>
  new PortForward("p" + externalPort, { forwarding: nat[name], externalPort, target, targetPort });
forward(8001, "a", "10.20.0.11", 80);
forward(8002, "a", "10.20.0.11", 8080);
forward(8003, "b", "10.20.1.12", 80);
forward(8004, "b", "10.20.1.12", 8080);
forward(8005, "c", "10.20.2.11", 80);
`;

/** What answers behind each of the five forwards. */
const behind: ReadonlyArray<readonly [number, string]> = [
  [8001, "Fedora server 1:80"],
  [8002, "Fedora server 1:8080"],
  [8003, "Fedora server 2:80"],
  [8004, "Fedora server 2:8080"],
  [8005, "Fedora server 1:80"],
];

export async function startServers({ host }: Pick<Deployment, "host">, ...numbers: number[]): Promise<void> {
  for (const number of numbers) await host.simulator.admin.call("VM.start", await server(host, number), false, false);
}

export async function stopServer({ host }: Pick<Deployment, "host">, number: number): Promise<void> {
  await host.simulator.admin.call("VM.hard_shutdown", await server(host, number));
}

async function server(host: Deployment["host"], number: number): Promise<string> {
  const [ref] = await host.simulator.admin.call<string[]>("VM.get_by_name_label", `Fedora server ${number}`);
  if (ref === undefined) throw new Error(`the lab has no VM "Fedora server ${number}"`);
  return ref;
}

/** Everything is declared, in force and on its bridge: nothing waits, and nothing is missing. */
export async function expectInForce({ host }: Pick<Deployment, "host">): Promise<void> {
  const { stdout } = await host.lab.runInDom0("xennet snapshot; echo; ip -4 -o addr show");
  const linesOf = (pattern: RegExp) => stdout.split("\n").filter((line) => pattern.test(line));
  expect(linesOf(/^(pending|missing|damaged) /)).toEqual(["pending none"]);
  expect(linesOf(/^fragment \S+ active$/)).toHaveLength(8);
  expect(linesOf(/^bridge \S+ \S+ present$/)).toHaveLength(3);
  for (const index of [0, 1, 2]) expect(linesOf(new RegExp(` inet 10\\.20\\.${index}\\.1/24 `))).toHaveLength(1);
  expect((await ownRules(host.lab)).byToken.size).toBe(8);
}

/** A request through each of the five forwards; `but` names the server that does not run. */
export async function expectAnswers(deployment: Pick<Deployment, "host">, but?: number): Promise<void> {
  if (but !== 1) await routeRepliesOfThirdNetwork(deployment);
  for (const [port, who] of behind) {
    if (!who.startsWith(`Fedora server ${but}:`)) await answers(deployment, port, `${who} for ${client}`);
  }
}

/** Server 1 has its default route by the first network: what it answers by the third one has to leave by the third one. */
async function routeRepliesOfThirdNetwork({ host }: Pick<Deployment, "host">): Promise<void> {
  const domid = await host.simulator.admin.call<string>("VM.get_domid", await server(host, 1));
  const script = `cd /; set -e
[ -n "$(ip -n guest${domid} rule show from 10.20.2.11)" ] || ip -n guest${domid} rule add from 10.20.2.11 lookup 103
ip -n guest${domid} route replace default via 10.20.2.1 dev eth3 table 103`;
  const { status, stderr } = await run([...host.lab.enterLan, "sh", "-c", script]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}
