import { parseSaved } from "../../../provider/src/rules/saved.ts";
import { type Fate, type TracedHost, trace } from "../../support/packets/trace.ts";
import { addressOf, SLOTS } from "../stacks/program.ts";
import { networkIn, type Wanted } from "./declared.ts";
import { DOM0, DOM0S, expectedPackets } from "./expected-packets.ts";
import { keysOf, type Look, text } from "./look.ts";

/** Packets that the live rules treat otherwise than the declarations mean; no provider code says what these are. */
export function wrongPackets(look: Look, wanted: readonly Wanted[]): string[] {
  const interfaces = interfacesOf(look, wanted);
  const host: TracedHost = { rules: parseSaved(look.rulesText), interfaces, outside: "xenbr0" };
  const cutOff = othersIn(look).filter((bridge) => {
    const neighbour = { ...host, interfaces: { ...interfaces, [bridge]: "10.66.0.1/24" } };
    return trace(neighbour, { source: "10.66.0.2", destination: DOM0, port: 22 }).kind === "dropped";
  });
  const wrong = wanted.flatMap((one) =>
    expectedPackets(look, one).flatMap((expected) => {
      const found = shown(trace(host, expected), expected.fate);
      const { source, destination, port, protocol = "tcp", why, fate } = expected;
      if (found === fate) return [];
      return [`${one.stack}: ${protocol} from ${source} to ${destination}:${port} is ${found}, ${why} means ${fate}`];
    }),
  );
  return [...cutOff.map((bridge) => `dom0 is closed to ${bridge}, a bridge of others`), ...wrong];
}

/** Bridges that XAPI named, and that no network with a mark of ours has: a forwarding stays on one whose owner was taken off by hand. */
function othersIn(look: Look): string[] {
  const ours = look.networks.filter((network) => Object.keys(keysOf(network)).some((key) => key.startsWith("xennet:")));
  const names = new Set(ours.map((network) => text(network, "bridge")));
  return [...look.links.keys()].filter((name) => name.startsWith("xapi") && !names.has(name));
}

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
