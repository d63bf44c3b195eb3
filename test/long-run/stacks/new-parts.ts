import {
  existingLabel,
  type ForwardingPart,
  type ForwardPart,
  firstPort,
  type NetworkPart,
  PLACES,
  type Place,
  type Program,
  type Slot,
  type StackName,
  stackNumber,
  type VifPart,
} from "./program.ts";

/** Everything a stack can declare at once, as the recipe with three networks does. */
export function fullProgram(stack: StackName, slots: readonly Slot[]): Program {
  const at = firstPort(stack);
  const forwardings = Object.fromEntries(slots.map((slot) => [slot, newForwarding(slot)]));
  return {
    networks: Object.fromEntries(slots.map((slot) => [slot, newNetwork(stack, slot)])),
    forwardings,
    forwards: slots.flatMap((slot, index) => [newForward(`web-${slot}`, slot, at + 2 * index)]),
    vifs: PLACES[stack].map((place, index) => newVif(place, slots[index % slots.length] ?? "plain")),
  };
}

export function newNetwork(stack: StackName, slot: Slot): NetworkPart {
  return {
    name: `net-${slot}`,
    ...{ label: `${slot} network of ${stack}`, description: "", tags: [] },
    ...(slot === "jumbo" ? { mtu: 9000 } : {}),
    ...(slot === "named" ? { bridge: `own${stackNumber(stack)}` } : {}),
    ...(slot === "adopted" ? { adopt: existingLabel(stack) } : {}),
  };
}

export function newForwarding(slot: Slot): ForwardingPart {
  return {
    ...{ name: `nat-${slot}`, subnet: 100, outbound: "any", snat: "auto", isolation: true },
    ...{ scope: "interface", persistence: "auto", inbound: "forwarded", hostAccess: false },
  };
}

export function newForward(name: string, slot: Slot, port: number): ForwardPart {
  return {
    ...{ name, slot, port, size: 1, guest: 11, targetPort: 80 },
    ...{ protocol: "tcp", enabled: true, hairpin: false, clients: "all" },
  };
}

export function newVif(place: Place, slot: Slot): VifPart {
  return { name: `vif-${place.vm.at(-1)}-${place.device}`, slot, ...place, plugged: true };
}
