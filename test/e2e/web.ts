import { expect } from "vitest";
import { eventually } from "../support/eventually.ts";
import type { Deployment } from "./deployment.ts";

const guests = ["Fedora server 1", "Fedora server 2"];

/** Starts both guests, whose administrator did the guest's own step by hand. */
export async function startGuests({ host }: Pick<Deployment, "host">): Promise<void> {
  for (const [index, name] of guests.entries()) {
    await host.lab.setGuestAddress(name, `192.168.100.1${index + 1}/24`, "192.168.100.1");
    const [vm] = await host.simulator.admin.call<string[]>("VM.get_by_name_label", name);
    if (vm === undefined) throw new Error(`the lab has no VM "${name}"`);
    await host.simulator.admin.call("VM.start", vm, false, false);
  }
}

export async function stopGuests({ host }: Pick<Deployment, "host">): Promise<void> {
  for (const name of guests) {
    const [vm = ""] = await host.simulator.admin.call<string[]>("VM.get_by_name_label", name);
    await host.simulator.admin.call("VM.hard_shutdown", vm);
  }
}

/** No XAPI session, and no SSH connection to dom0, is left. */
export async function expectNothingOpen({ host }: Pick<Deployment, "host">): Promise<void> {
  expect(host.simulator.openSessions()).toBe(0);
  // dom0's sshd ends its side a moment after the client ended its own.
  await eventually(async () => expect(await host.lab.sshConnections()).toBe(0), 5000);
}

/** Who answers on a port of the host's address, as seen from the LAN: `Fedora server 1:80`, or what came instead. */
export async function whoAnswers({ host }: Pick<Deployment, "host">, port: number): Promise<string> {
  const answer = await host.lab.clientGet(`http://192.168.1.10:${port}/`);
  if (answer.kind !== "answered") return answer.kind;
  if (answer.body.includes("<title>Welcome to")) return "dom0's own page";
  const { vm, port: guestPort, peer } = JSON.parse(answer.body) as Record<string, unknown>;
  return `${vm}:${guestPort} for ${peer}`;
}

/** Waits until the wanted answer comes; the host may need a moment after a bridge event. */
export function answers(deployment: Pick<Deployment, "host">, port: number, wanted: string, withinMs = 5000) {
  return eventually(async () => {
    const found = await whoAnswers(deployment, port);
    if (found !== wanted) throw new Error(`port ${port}: expected ${wanted}, found ${found}`);
  }, withinMs);
}
