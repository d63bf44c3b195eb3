import { readFileSync } from "node:fs";
import { DOM0_ADDRESS } from "../lab/dom0.ts";
import type { Host } from "../lab/host.ts";
import type { HttpAnswer } from "../lab/lab.ts";
import { type CapturedHost, captureHost, compareHosts, isOfNewVif } from "../lab/same-host.ts";
import { eventually } from "../support/eventually.ts";
import type { Administrator } from "./administrator.ts";
import type { Project } from "./project.ts";
import type { Proofs } from "./proofs.ts";
import { changesOf, describeStep, type Pulumi, rulesIn } from "./pulumi.ts";
import { findSecrets } from "./secrets.ts";
import { describe, isDom0Page, isFrom, peerOf, waitForAnswer } from "./web.ts";

/** Everything that the chapters work with. */
export interface Scene {
  readonly host: Host;
  /** True for a host that can neither move a VIF nor set a guest's address. */
  readonly isOld: boolean;
  readonly pulumi: Pulumi;
  readonly project: Project;
  readonly administrator: Administrator;
  readonly proofs: Proofs;
  readonly signal: AbortSignal;
}

const CLIENT = "192.168.1.50";
const SERVERS = ["Fedora server 1", "Fedora server 2"] as const;

/** The whole story, in order. */
export async function tellStory(scene: Scene): Promise<void> {
  const before = await showHostBefore(scene);
  await previewStack(scene);
  const commandLines = await deployStack(scene);
  await startServers(scene);
  await changeStack(scene);
  await deployAgain(scene);
  await rebootHost(scene);
  await destroyStack(scene);
  await compareWithStart(scene, before);
  await showNothingLeft(scene, commandLines);
}

async function showHostBefore({ proofs, host }: Scene): Promise<CapturedHost> {
  proofs.chapter("The host before: nothing is forwarded");
  await proveUntouched(proofs, host);
  return captureHost(host.lab, host.simulator);
}

async function previewStack({ proofs, pulumi, host }: Scene): Promise<void> {
  proofs.chapter("Preview: what would be made, with the netfilter rules as text");
  const calls = countWrites(host);
  const preview = await pulumi.run("preview");
  const rules = rulesIn(preview);
  for (const rule of rules) proofs.say(`     ${rule}`);
  const created = changesOf(preview).filter(({ op }) => op === "create").length;
  proofs.prove(created === 6, "resources to create", String(created), "6");
  for (const port of [80, 8080]) {
    const rule = rules.find((line) => line.includes(`--dport ${port} `) && line.includes("-j DNAT"));
    proofs.prove(rule !== undefined, `the rule that forwards port ${port}`, rule ?? "not shown", "a DNAT rule");
  }
  const snat = rules.find((line) => line.includes("-j SNAT"));
  proofs.prove(snat !== undefined, "the rule that lets guests out", snat ?? "not shown", "an SNAT rule");
  const written = countWrites(host) - calls;
  proofs.prove(written === 0, "calls that change something on the host", String(written), "0");
}

/** Answers every command line that ran meanwhile, on dom0 and on the workstation. */
async function deployStack({ proofs, pulumi, host }: Scene): Promise<string[]> {
  proofs.chapter("The stack is deployed");
  const recorder = await host.lab.recordArgv();
  const up = await pulumi.run("up").finally(() => recorder.stop());
  const seen = await recorder.stop();
  const created = changesOf(up).filter(({ op }) => op === "create").length;
  proofs.prove(created === 6, "resources created", String(created), "6");
  const address = String(up.outputs["address"]);
  proofs.prove(address === DOM0_ADDRESS, "the external address that was found", address, DOM0_ADDRESS);
  return seen.map(({ argv }) => argv);
}

async function startServers(scene: Scene): Promise<void> {
  const { proofs, host } = scene;
  proofs.chapter("The VMs are started through XAPI; real requests from a client on the LAN");
  if (scene.isOld) await setAddresses(scene);
  await startVms(scene);
  await proveForward(scene, 80, SERVERS[0], 80);
  await proveForward(scene, 8080, SERVERS[1], 80);
  for (const vm of SERVERS) {
    const answer = await host.lab.guestGet(vm, host.lab.outsideUrl);
    const seen = peerOf(answer);
    const holds = seen === DOM0_ADDRESS;
    proofs.prove(holds, `"${vm}" asks ${host.lab.outsideUrl} outside`, describe(answer), `client ${DOM0_ADDRESS}`);
  }
}

/** XAPI cannot do that before 7.0. */
async function setAddresses({ host, proofs }: Scene): Promise<void> {
  for (const [index, vm] of SERVERS.entries()) {
    const address = `192.168.100.1${index + 1}/24`;
    await host.lab.setGuestAddress(vm, address, "192.168.100.1");
    proofs.say(`     the administrator of "${vm}" sets ${address}, as the output guestSetup says`);
  }
}

async function changeStack(scene: Scene): Promise<void> {
  const { proofs, pulumi, project } = scene;
  proofs.chapter("The program changes: port 8080 moves to the first VM");
  project.changeToStep2();
  const wanted = "~ update PortForward alternate (rules, target, targetPort)";
  for (const verb of ["preview", "up"] as const) {
    const changes = changesOf(await pulumi.run(verb));
    const [change] = changes;
    const holds = changes.length === 1 && change?.op === "update" && change.name === "alternate";
    proofs.prove(holds, `what ${verb} changes`, changes.map(describeStep).join("; ") || "nothing", wanted);
  }
  await proveForward(scene, 8080, SERVERS[0], 8080);
  await proveForward(scene, 80, SERVERS[0], 80);
}

async function deployAgain({ proofs, pulumi, host }: Scene): Promise<void> {
  proofs.chapter("Deployed once more: nothing changes");
  const calls = countWrites(host);
  const changes = changesOf(await pulumi.run("up"));
  proofs.prove(changes.length === 0, "what the second up changes", changes.map(describeStep).join("; ") || "nothing");
  const written = countWrites(host) - calls;
  proofs.prove(written === 0, "calls that change something in XAPI", String(written), "0");
}

async function rebootHost(scene: Scene): Promise<void> {
  const { proofs, host } = scene;
  proofs.chapter("The host reboots; the VMs are started again, Pulumi is not");
  await host.rebootDom0();
  const booted = Date.now();
  await startVms(scene);
  await proveForward(scene, 80, SERVERS[0], 80);
  await proveForward(scene, 8080, SERVERS[0], 8080);
  proofs.say(
    `     ${((Date.now() - booted) / 1000).toFixed(1)} s after dom0 was up again, the start of the VMs included`,
  );
}

async function destroyStack({ proofs, pulumi, host, administrator }: Scene): Promise<void> {
  proofs.chapter("The stack is destroyed");
  const destroyed = changesOf(await pulumi.run("destroy")).filter(({ op }) => op === "delete").length;
  proofs.prove(destroyed === 6, "resources destroyed", String(destroyed), "6");
  await proveUntouched(proofs, host);
  await Promise.all(SERVERS.map((vm) => administrator.shutDownVm(vm)));
}

async function compareWithStart({ proofs, host, isOld }: Scene, before: CapturedHost): Promise<void> {
  proofs.chapter("The same host: XAPI's records, netfilter rules, addresses, sysctls and files, against the start");
  const all = compareHosts(before, await captureHost(host.lab, host.simulator));
  const differences = all.filter((difference) => !(isOld && isOfNewVif(difference)));
  if (isOld) proofs.say("     (the VIFs have new UUIDs: this release cannot move a VIF, so they were made anew)");
  const answer = differences.length === 0 ? "none" : `${differences.length}`;
  proofs.prove(differences.length === 0, "differences", answer, "none");
  for (const difference of differences) proofs.say(`     ${difference}`);
}

async function showNothingLeft({ proofs, host, pulumi }: Scene, commandLines: readonly string[]): Promise<void> {
  proofs.chapter("What is left behind");
  const found = findSecrets(host, [
    { name: "the state file", text: readFileSync(pulumi.stateFile, "utf8") },
    { name: "the output", text: pulumi.output + proofs.text },
    { name: "a command line", text: commandLines.join("\n") },
  ]);
  const places = `the state file, all output, ${commandLines.length} command lines of dom0 and the workstation during up`;
  proofs.prove(found.length === 0, `password, key or session in ${places}`, found.join("; ") || "none");
  const left = await eventually(() => requireNothing(host, pulumi), 5000).catch((error: Error) => error.message);
  proofs.prove(left === "none", "XAPI sessions, SSH connections and processes that are left", left);
}

async function requireNothing({ simulator, lab }: Host, pulumi: Pulumi): Promise<string> {
  const [sessions, connections, processes] = [
    simulator.openSessions(),
    await lab.sshConnections(),
    pulumi.processesLeft(),
  ];
  if (sessions + connections + processes.length === 0) return "none";
  const kinds = processes.map(({ kind, pid }) => `${kind} ${pid}`).join(", ");
  throw new Error(`${sessions} sessions, ${connections} connections, ${processes.length} processes ${kinds}`);
}

async function startVms({ administrator, proofs }: Scene): Promise<void> {
  await Promise.all(SERVERS.map((vm) => administrator.startVm(vm)));
  proofs.say(`   $ xe vm-start, through XAPI: ${SERVERS.map((vm) => `"${vm}"`).join(", ")}`);
}

/** A new connection of the LAN's client; the answer is waited for as long as the host may take to heal itself. */
async function proveForward({ host, proofs, signal }: Scene, port: number, vm: string, own: number): Promise<void> {
  const url = urlOf(port);
  const isWanted = (answer: HttpAnswer) => isFrom(answer, vm, own, CLIENT);
  const { answer, holds, waited } = await waitForAnswer(() => host.lab.clientGet(url), isWanted, signal);
  const wanted = `"${vm}" on its port ${own}, which sees the client as ${CLIENT}`;
  proofs.prove(holds, `GET ${url} from ${CLIENT}`, `${describe(answer)}${waited}`, wanted);
}

/** 80 is dom0's own page, and nobody is behind 8080. */
async function proveUntouched(proofs: Proofs, { lab }: Host): Promise<void> {
  const page = await lab.clientGet(urlOf(80));
  proofs.prove(isDom0Page(page), `GET ${urlOf(80)} from ${CLIENT}`, describe(page), "dom0's own page");
  const other = await lab.clientGet(urlOf(8080));
  const holds = other.kind === "refused" || other.kind === "unreachable";
  proofs.prove(holds, `GET ${urlOf(8080)} from ${CLIENT}`, describe(other), "refused or unreachable");
}

function urlOf(port: number): string {
  return `http://${DOM0_ADDRESS}:${port}/`;
}

function countWrites({ simulator }: Host): number {
  return simulator.countCalls(({ writing }) => writing);
}
