import { parseSaved } from "../../../provider/src/rules/saved.ts";
import { type Fate, type Opening, type TracedHost, trace } from "../../support/packets/trace.ts";
import { addressOf, type ForwardingPart, firstPort, guestOf, PORTS, SLOTS, type Slot } from "../stacks/program.ts";
import { networkIn, type Wanted } from "./declared.ts";
import { keysOf, type Look, text } from "./look.ts";

const CLIENT = "192.168.1.50";
const OUTSIDE = "192.168.1.60";
const DOM0 = "192.168.1.10";

/** A packet, and what the declarations mean for it. */
interface Expected extends Opening {
  readonly why: string;
  /** `<address>:<port> for <peer>`, dropped, or dom0's own. */
  readonly fate: string;
}

/** Packets that the live rules treat otherwise than the declarations mean; no provider code says what these are. */
export function wrongPackets(look: Look, wanted: readonly Wanted[]): string[] {
  const interfaces = interfacesOf(look, wanted);
  const host: TracedHost = { rules: parseSaved(look.rulesText), interfaces, outside: "xenbr0" };
  const cutOff = othersIn(look).filter((bridge) => {
    const neighbour = { ...host, interfaces: { ...interfaces, [bridge]: "10.66.0.1/24" } };
    return trace(neighbour, { source: "10.66.0.2", destination: DOM0, port: 22 }).kind === "dropped";
  });
  const wrong = wanted.flatMap((one) =>
    [...fromOutside(one), ...SLOTS.flatMap((slot) => fromGuests(look, one, slot))].flatMap((expected) => {
      const found = shown(trace(host, expected), expected.fate);
      const { source, destination, port, protocol = "tcp", why, fate } = expected;
      if (found === fate) return [];
      return [`${one.stack}: ${protocol} from ${source} to ${destination}:${port} is ${found}, ${why} means ${fate}`];
    }),
  );
  return [...cutOff.map((bridge) => `dom0 is closed to ${bridge}, a bridge of others`), ...wrong];
}

/** Bridges that XAPI named, and that no network with our mark has. */
function othersIn(look: Look): string[] {
  const ours = look.networks.filter((network) => keysOf(network)["xennet:owner"] !== undefined);
  const names = new Set(ours.map((network) => text(network, "bridge")));
  return [...look.links.keys()].filter((name) => name.startsWith("xapi") && !names.has(name));
}

const DOM0S = "dom0's own";

/** Whether dom0 answers what is not forwarded is its own firewall's matter, which an administrator may have emptied. */
function shown(fate: Fate, expected: string): string {
  if (expected === DOM0S && (fate.kind === "refused" || (fate.kind === "answered" && fate.by === DOM0))) return DOM0S;
  return fate.kind === "answered" ? `${fate.by}:${fate.port} for ${fate.peer}` : fate.kind;
}

/** Every network has an address here, whether or not its bridge is there at the moment. */
function interfacesOf(look: Look, wanted: readonly Wanted[]): Record<string, string> {
  const found: Record<string, string> = { xenbr0: `${DOM0}/24` };
  for (const one of wanted) {
    for (const slot of SLOTS) {
      const part = one.program.forwardings[slot];
      const bridge = text(networkIn(look, one, slot), "bridge");
      if (part !== undefined && bridge !== "") found[bridge] = addressOf(one.stack, slot, part);
    }
  }
  return found;
}

/** Each port of the stack, by either protocol: forwarded, or dom0's own, which refuses it. */
function fromOutside({ stack, program }: Wanted): Expected[] {
  const ports = Array.from({ length: PORTS }, (_, index) => firstPort(stack) + index);
  return ports.flatMap((port) =>
    (["tcp", "udp"] as const).map((protocol): Expected => {
      const opening = { source: CLIENT, destination: DOM0, port, protocol };
      const forward = program.forwards.find(
        (one) =>
          one.enabled &&
          [protocol, "both"].includes(one.protocol) &&
          program.forwardings[one.slot] !== undefined &&
          one.port <= port &&
          port < one.port + one.size,
      );
      if (forward === undefined) return { ...opening, why: "no forward", fate: DOM0S };
      const forwarding = program.forwardings[forward.slot] as ForwardingPart;
      const target = guestOf(stack, forward.slot, forwarding, forward.guest);
      const fate = `${target}:${forward.targetPort + port - forward.port} for ${CLIENT}`;
      return { ...opening, why: forward.name, fate };
    }),
  );
}

function fromGuests(look: Look, one: Wanted, slot: Slot): Expected[] {
  const part = one.program.forwardings[slot];
  if (part === undefined || text(networkIn(look, one, slot), "bridge") === "") return [];
  const why = part.name;
  const source = guestOf(one.stack, slot, part, 11);
  const gateway = addressOf(one.stack, slot, part).split("/")[0] ?? "";
  const dropped = (destination: string, port: number, from = source): Expected => ({
    ...{ source: from, destination, port, why, fate: "dropped" },
  });
  const seen = part.snat === "off" ? source : DOM0;
  const out = { source, destination: OUTSIDE, port: 8000, why, fate: `${OUTSIDE}:8000 for ${seen}` };
  return [
    // Without isolation what is not let out is the stock firewall's matter.
    ...(part.outbound === "none" ? (part.isolation ? [dropped(OUTSIDE, 8000)] : []) : [out]),
    ...(part.outbound !== "any" && part.isolation ? [dropped("192.168.1.70", 8000)] : []),
    ...[22, 443].flatMap((port) => [dropped(DOM0, port), dropped(gateway, port)]),
    ...(part.isolation ? [dropped(source, 22, CLIENT)] : []),
    ...(part.isolation ? neighbours(one, slot).map((other) => dropped(other, 80)) : []),
  ];
}

/** Guests of the stack's other networks. */
function neighbours({ stack, program }: Wanted, slot: Slot): string[] {
  return SLOTS.flatMap((other) => {
    const part = program.forwardings[other];
    return other === slot || part === undefined ? [] : [guestOf(stack, other, part, 12)];
  });
}
