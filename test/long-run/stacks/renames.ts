import { chosen } from "./changes.ts";
import type { ForwardingPart, ForwardPart, NetworkPart, Program, Slot, VifPart } from "./program.ts";

export function renameNetwork(program: Program, slot: Slot, value: number): Program {
  const found = program.networks[slot];
  if (found === undefined) return program;
  // Without an alias the old one still has the bridge's name, or what it adopted, when the new one is made.
  const isAliased = slot === "named" || slot === "adopted";
  const renamed = renamedPart(found, isAliased ? 0 : value);
  return { ...program, networks: { ...program.networks, [slot]: renamed } };
}

export function renameForwarding(program: Program, slot: Slot, value: number): Program {
  const found = program.forwardings[slot];
  if (found === undefined) return program;
  return { ...program, forwardings: { ...program.forwardings, [slot]: renamedPart(found, value) } };
}

export function renameForward(program: Program, pick: number, value: number): Program {
  const found = chosen(program.forwards, pick);
  if (found === undefined) return program;
  const renamed = renamedPart(found, value);
  return { ...program, forwards: program.forwards.map((forward) => (forward === found ? renamed : forward)) };
}

/** Always with an alias: without one two would want one device. */
export function renameVif(program: Program, pick: number): Program {
  const found = chosen(program.vifs, pick);
  if (found === undefined) return program;
  const renamed = renamedPart(found, 0);
  return { ...program, vifs: program.vifs.map((vif) => (vif === found ? renamed : vif)) };
}

/** The name before it was ever renamed. */
export const baseOf = (name: string): string => name.replace(/-r\d+$/, "");

/** Another name, and every second time an alias that tells the old one. */
function renamedPart<T extends NetworkPart | ForwardingPart | ForwardPart | VifPart>(part: T, value: number): T {
  const [, number = "1"] = /-r(\d+)$/.exec(part.name) ?? [];
  const { formerName: _former, ...kept } = part;
  const name = `${baseOf(part.name)}-r${Number(number) + 1}`;
  return (value % 2 === 0 ? { ...kept, name, formerName: part.name } : { ...kept, name }) as T;
}
