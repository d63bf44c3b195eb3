import { changeForward, changeForwarding, changeNetwork, changeVif, chosen } from "./changes.ts";
import { fullProgram, newForward, newForwarding, newNetwork, newVif } from "./new-parts.ts";
import { freePort, overlap } from "./ports.ts";
import { PLACES, type Program, type Slot, type StackName } from "./program.ts";
import { baseOf, renameForward, renameForwarding, renameNetwork, renameVif } from "./renames.ts";

/** One thing that the author of a program changes; `pick` chooses what, `value` what it becomes. */
export interface Edit {
  readonly edit: EditKind;
  readonly pick: number;
  readonly value: number;
}

export const EDITS = [
  ...(["everything", "network", "forwarding", "forward", "vif"] as const),
  ...(["change network", "change forwarding", "change forward", "swap ports", "change vif"] as const),
  ...(["rename network", "rename forwarding", "rename forward", "rename vif"] as const),
];
export type EditKind = (typeof EDITS)[number];

export const isRenaming = ({ edit }: Edit): boolean => edit.startsWith("rename");

type Apply = (program: Program, edit: Edit, stack: StackName, slots: readonly Slot[]) => Program;

/** The program after an edit; what an edit asks for and cannot be had leaves it as it is. */
export function edited(program: Program, edit: Edit, stack: StackName, slots: readonly Slot[]): Program {
  return appliers[edit.edit](program, edit, stack, slots);
}

const slotOf = (slots: readonly Slot[], { pick }: Edit): Slot => chosen(slots, pick) ?? "plain";
/** One of those that have what is to be changed. */
const among = (parts: Program["networks"] | Program["forwardings"], edit: Edit): Slot =>
  slotOf(Object.keys(parts) as Slot[], edit);

const appliers: Readonly<Record<EditKind, Apply>> = {
  everything: (program, _edit, stack, slots) => withEverything(program, fullProgram(stack, slots)),
  network: (program, edit, stack, slots) => {
    const slot = slotOf(slots, edit);
    if (program.networks[slot] !== undefined) return withoutNetwork(program, slot);
    return { ...program, networks: { ...program.networks, [slot]: newNetwork(stack, slot) } };
  },
  forwarding: (program, edit) => {
    const slot = among(program.networks, edit);
    if (program.networks[slot] === undefined) return program;
    if (program.forwardings[slot] !== undefined) return withoutForwarding(program, slot);
    return { ...program, forwardings: { ...program.forwardings, [slot]: newForwarding(slot) } };
  },
  forward: (program, { pick, value }, stack) => {
    const slot = chosen(Object.keys(program.forwardings) as Slot[], value);
    const found = chosen([...program.forwards, undefined], pick);
    if (found !== undefined) return { ...program, forwards: program.forwards.filter((one) => one !== found) };
    const port = freePort(program, stack, 1, value);
    if (slot === undefined || port === undefined || program.forwards.length >= 5) return program;
    return { ...program, forwards: [...program.forwards, newForward(freeName(program), slot, port)] };
  },
  vif: (program, { pick, value }, stack) => {
    const place = chosen(PLACES[stack], pick);
    const slot = chosen(Object.keys(program.networks) as Slot[], value);
    const found = program.vifs.find((vif) => vif.vm === place?.vm && vif.device === place.device);
    if (found !== undefined) return { ...program, vifs: program.vifs.filter((vif) => vif !== found) };
    if (slot === undefined || place === undefined) return program;
    return { ...program, vifs: [...program.vifs, newVif(place, slot)] };
  },
  "change network": (program, edit) => changeNetwork(program, among(program.networks, edit), edit.value),
  "change forwarding": (program, edit) => changeForwarding(program, among(program.forwardings, edit), edit.value),
  "change forward": (program, { pick, value }, stack) => changeForward(program, pick, value, stack),
  "swap ports": (program, { pick, value }) => swapPorts(program, pick, value),
  "change vif": (program, { pick, value }) => changeVif(program, pick, value),
  "rename network": (program, edit) => renameNetwork(program, among(program.networks, edit), edit.value),
  "rename forwarding": (program, edit) => renameForwarding(program, among(program.forwardings, edit), edit.value),
  "rename forward": (program, { pick, value }) => renameForward(program, pick, value),
  "rename vif": (program, { pick }) => renameVif(program, pick),
};

/** What is declared stays as it is, names above all. */
function withEverything(program: Program, full: Program): Program {
  const forwards = full.forwards.filter((next) =>
    program.forwards.every((one) => !overlap(one, next) && baseOf(one.name) !== next.name),
  );
  const vifs = full.vifs.filter(
    ({ vm, device }) => !program.vifs.some((vif) => vif.vm === vm && vif.device === device),
  );
  return {
    networks: { ...full.networks, ...program.networks },
    forwardings: { ...full.forwardings, ...program.forwardings },
    forwards: [...program.forwards, ...forwards],
    vifs: [...program.vifs, ...vifs],
  };
}

function withoutNetwork(program: Program, slot: Slot): Program {
  const { [slot]: _network, ...networks } = program.networks;
  return { ...withoutForwarding(program, slot), networks, vifs: program.vifs.filter((vif) => vif.slot !== slot) };
}

function withoutForwarding(program: Program, slot: Slot): Program {
  const { [slot]: _forwarding, ...forwardings } = program.forwardings;
  return { ...program, forwardings, forwards: program.forwards.filter((forward) => forward.slot !== slot) };
}

function swapPorts(program: Program, pick: number, value: number): Program {
  const [one, other] = [chosen(program.forwards, pick), chosen(program.forwards, value)];
  if (one === undefined || other === undefined || one === other) return program;
  const ports = new Map([
    [one, { port: other.port, size: other.size }],
    [other, { port: one.port, size: one.size }],
  ]);
  return { ...program, forwards: program.forwards.map((forward) => ({ ...forward, ...ports.get(forward) })) };
}

function freeName(program: Program): string {
  // The name of one that is being renamed is its alias.
  const names = new Set(program.forwards.map(({ name }) => baseOf(name)));
  let number = 1;
  while (names.has(`web-${number}`)) number += 1;
  return `web-${number}`;
}
