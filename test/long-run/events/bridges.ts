import type { EventAction } from "../actions.ts";
import { networkIn } from "../looks/declared.ts";
import { type Look, look, text, type XapiRecord } from "../looks/look.ts";
import type { Machine } from "../machine.ts";
import type { Model } from "../model.ts";

type BridgeEvent = Extract<EventAction, { do: "bridge" }>;

/** The bridge comes back, with the ports it had, under another number; or, as after a pool join, under another name. */
export async function bridgeEvent({ what, stack, slot }: BridgeEvent, model: Model, machine: Machine): Promise<void> {
  const now = await look(machine.host);
  const network = networkIn(now, { stack, program: model.programs[stack] }, slot);
  const bridge = text(network, "bridge");
  if (network === undefined || !now.links.has(bridge)) return;
  // A name that is declared stays, and so does that of a network which has to be the same in the end.
  const isFree = slot === "plain" || slot === "jumbo";
  const name = what === "name" && isFree ? `xapi${90 + (Number(bridge.slice(4)) % 9)}x` : bridge;
  if (name !== bridge) await renameBridge(network, name, now, machine);
  await machine.console(`ports=$(ls /sys/class/net/${bridge}/brif); ip link del ${bridge}
ip link add name ${name} type bridge forward_delay 0 stp_state 0; ip link set ${name} multicast off up
for port in $ports; do ip link set $port master ${name} up; done`);
}

async function renameBridge(network: XapiRecord, name: string, now: Look, machine: Machine): Promise<void> {
  machine.host.simulator.admin.modify("network", network.ref, { bridge: name });
  const names = now.networks.map((one) => ({
    uuid: one.uuid,
    bridge: one === network ? name : text(one, "bridge"),
  }));
  await machine.host.lab.backplane.networksChanged(names);
}
