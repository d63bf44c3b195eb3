import type { Opening } from "../../support/packets/trace.ts";
import {
  addressOf,
  CLIENTS,
  type ForwardingPart,
  type ForwardPart,
  firstPort,
  guestOf,
  PORTS,
  SLOTS,
  type Slot,
} from "../stacks/program.ts";
import { networkIn, type Wanted } from "./declared.ts";
import { type Look, text } from "./look.ts";

/** A packet, and what the declarations mean for it. */
export interface Expected extends Opening {
  readonly why: string;
  /** `<address>:<port> for <peer>`, dropped, or dom0's own. */
  readonly fate: string;
}

export const DOM0 = "192.168.1.10";
export const DOM0S = "dom0's own";
const OUTSIDE = "192.168.1.60";

/** What a stack's declarations mean for packets. */
export function expectedPackets(look: Look, wanted: Wanted): Expected[] {
  return [...fromOutside(wanted), ...SLOTS.flatMap((slot) => fromGuests(look, wanted, slot))];
}

/** Each port of the stack, by either protocol: forwarded, or dom0's own, which refuses it. */
function fromOutside(wanted: Wanted): Expected[] {
  return eachPort(wanted.stack).flatMap(({ port, protocol }) => {
    const forward = forwardOf(wanted, port, protocol);
    const clients = forward === undefined || forward.clients === "all" ? ["first" as const] : CLIENT_NAMES;
    return clients.map((name): Expected => {
      const opening = { source: CLIENTS[name], destination: DOM0, port, protocol };
      if (forward === undefined || !["all", name].includes(forward.clients)) {
        return { ...opening, why: "no forward", fate: DOM0S };
      }
      return { ...opening, why: forward.name, fate: `${targetOf(wanted, forward, port)} for ${CLIENTS[name]}` };
    });
  });
}

const CLIENT_NAMES = ["first", "second"] as const;

function eachPort(stack: Wanted["stack"]): Array<{ readonly port: number; readonly protocol: "tcp" | "udp" }> {
  const ports = Array.from({ length: PORTS }, (_, index) => firstPort(stack) + index);
  return ports.flatMap((port) => (["tcp", "udp"] as const).map((protocol) => ({ port, protocol })));
}

/** The forward that takes this port. */
function forwardOf({ program }: Wanted, port: number, protocol: "tcp" | "udp"): ForwardPart | undefined {
  return program.forwards.find(
    (one) =>
      one.enabled &&
      [protocol, "both"].includes(one.protocol) &&
      program.forwardings[one.slot] !== undefined &&
      one.port <= port &&
      port < one.port + one.size,
  );
}

function targetOf({ stack, program }: Wanted, forward: ForwardPart, port: number): string {
  const forwarding = program.forwardings[forward.slot] as ForwardingPart;
  const guest = guestOf(stack, forward.slot, forwarding, forward.guest);
  return `${guest}:${forward.targetPort + port - forward.port}`;
}

/** By the external address guests, and dom0 itself, reach only what has a hairpin, and only of their own network. */
function byTheExternalAddress(wanted: Wanted, slot: Slot, part: ForwardingPart): Expected[] {
  // One that is never a target: a target that asks itself is another matter.
  const source = guestOf(wanted.stack, slot, part, 13);
  const gateway = gatewayOf(wanted, slot, part);
  return eachPort(wanted.stack).flatMap(({ port, protocol }): Expected[] => {
    const forward = forwardOf(wanted, port, protocol);
    const opening = { destination: DOM0, port, protocol, why: forward?.name ?? "no forward" };
    if (forward?.hairpin !== true || forward.slot !== slot) return [{ ...opening, source, fate: "dropped" }];
    const target = targetOf(wanted, forward, port);
    return [
      { ...opening, source, fate: `${target} for ${gateway}` },
      { ...opening, source: DOM0, fate: `${target} for ${DOM0}` },
    ];
  });
}

function gatewayOf({ stack }: Wanted, slot: Slot, part: ForwardingPart): string {
  return addressOf(stack, slot, part).split("/")[0] ?? "";
}

function fromGuests(look: Look, one: Wanted, slot: Slot): Expected[] {
  const part = one.program.forwardings[slot];
  if (part === undefined || text(networkIn(look, one, slot), "bridge") === "") return [];
  const why = part.name;
  const source = guestOf(one.stack, slot, part, 11);
  const gateway = gatewayOf(one, slot, part);
  const dropped = (destination: string, port: number, from = source): Expected => ({
    ...{ source: from, destination, port, why, fate: "dropped" },
  });
  const seen = part.snat === "off" ? source : DOM0;
  const out = { source, destination: OUTSIDE, port: 8000, why, fate: `${OUTSIDE}:8000 for ${seen}` };
  const into = { source: CLIENTS.first, destination: source, port: 22, why };
  return [
    // Without isolation what is not let out is the stock firewall's matter.
    ...(part.outbound === "none" ? (part.isolation ? [dropped(OUTSIDE, 8000)] : []) : [out]),
    ...(part.outbound !== "any" && part.isolation ? [dropped("192.168.1.70", 8000)] : []),
    ...[DOM0, gateway].flatMap((destination): Expected[] => [
      dropped(destination, 443),
      { ...dropped(destination, 22), ...(part.hostAccess ? { fate: `${destination}:22 for ${source}` } : {}) },
    ]),
    ...(part.inbound === "network" ? [{ ...into, fate: `${source}:22 for ${CLIENTS.first}` }] : []),
    ...(part.inbound === "forwarded" && part.isolation ? [{ ...into, fate: "dropped" }] : []),
    ...(part.isolation ? neighbours(one, slot).map((other) => dropped(other, 80)) : []),
    ...byTheExternalAddress(one, slot, part),
  ];
}

/** Guests of the stack's other networks. */
function neighbours({ stack, program }: Wanted, slot: Slot): string[] {
  return SLOTS.flatMap((other) => {
    const part = program.forwardings[other];
    return other === slot || part === undefined ? [] : [guestOf(stack, other, part, 12)];
  });
}
