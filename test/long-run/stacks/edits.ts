import {
  type ForwardingPart,
  type ForwardPart,
  firstPort,
  fullProgram,
  type NetworkPart,
  newForward,
  newForwarding,
  newNetwork,
  newVif,
  PLACES,
  PORTS,
  type Program,
  type Slot,
  type StackName,
  type VifPart,
} from "./program.ts";

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

const chosen = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)];
const slotOf = (slots: readonly Slot[], { pick }: Edit): Slot => chosen(slots, pick) ?? "plain";

const appliers: Readonly<Record<EditKind, Apply>> = {
  everything: (program, _edit, stack, slots) => withEverything(program, fullProgram(stack, slots)),
  network: (program, edit, stack, slots) => {
    const slot = slotOf(slots, edit);
    if (program.networks[slot] !== undefined) return withoutNetwork(program, slot);
    return { ...program, networks: { ...program.networks, [slot]: newNetwork(stack, slot) } };
  },
  forwarding: (program, edit, _stack, slots) => {
    const slot = slotOf(slots, edit);
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
  "change network": (program, edit, _stack, slots) => changeNetwork(program, slotOf(slots, edit), edit.value),
  "change forwarding": (program, edit, _stack, slots) => changeForwarding(program, slotOf(slots, edit), edit.value),
  "change forward": (program, { pick, value }, stack) => changeForward(program, pick, value, stack),
  "swap ports": (program, { pick, value }) => {
    const [one, other] = [chosen(program.forwards, pick), chosen(program.forwards, value)];
    if (one === undefined || other === undefined) return program;
    const ports = new Map([
      [one, { port: other.port, size: other.size }],
      [other, { port: one.port, size: one.size }],
    ]);
    return { ...program, forwards: program.forwards.map((forward) => ({ ...forward, ...ports.get(forward) })) };
  },
  "change vif": (program, { pick, value }) => changeVif(program, pick, value),
  "rename network": (program, edit, _stack, slots) => {
    const slot = slotOf(slots, edit);
    const found = program.networks[slot];
    // Without an alias the old one still has the bridge name when the new one is made.
    if (found === undefined) return program;
    const renamed = renamedPart(found, slot === "named" ? 0 : edit.value);
    return { ...program, networks: { ...program.networks, [slot]: renamed } };
  },
  "rename forwarding": (program, edit, _stack, slots) => {
    const slot = slotOf(slots, edit);
    const found = program.forwardings[slot];
    if (found === undefined) return program;
    return { ...program, forwardings: { ...program.forwardings, [slot]: renamedPart(found, edit.value) } };
  },
  "rename forward": (program, { pick, value }) => {
    const found = chosen(program.forwards, pick);
    const renamed = (forward: ForwardPart) => (forward === found ? renamedPart(forward, value) : forward);
    return { ...program, forwards: program.forwards.map(renamed) };
  },
  "rename vif": (program, { pick }) => {
    const found = chosen(program.vifs, pick);
    // Without an alias two would want one device.
    return { ...program, vifs: program.vifs.map((vif) => (vif === found ? renamedPart(vif, 0) : vif)) };
  },
};

/** What is declared stays as it is, names above all. */
function withEverything(program: Program, full: Program): Program {
  const isFree = (port: number) => program.forwards.every((one) => port < one.port || port >= one.port + one.size);
  const more = full.forwards.filter(
    ({ name, port }) => isFree(port) && program.forwards.every((one) => one.name !== name),
  );
  const places = full.vifs.filter(
    ({ vm, device }) => !program.vifs.some((vif) => vif.vm === vm && vif.device === device),
  );
  return {
    networks: { ...full.networks, ...program.networks },
    forwardings: { ...full.forwardings, ...program.forwardings },
    forwards: [...program.forwards, ...more],
    vifs: [...program.vifs, ...places],
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

function changeNetwork(program: Program, slot: Slot, value: number): Program {
  const found = program.networks[slot];
  if (found === undefined) return program;
  const bridge =
    found.bridge === undefined
      ? {}
      : { bridge: found.bridge.endsWith("x") ? found.bridge.slice(0, -1) : `${found.bridge}x` };
  const changes: readonly Partial<NetworkPart>[] = [
    { label: `${found.label.replace(/ \d$/, "")} ${value % 10}` },
    { description: `changed ${value}` },
    { tags: value % 2 === 0 ? ["b", "a"] : [] },
    { mtu: value % 2 === 0 ? 9000 : 1500 },
    bridge,
  ];
  return { ...program, networks: { ...program.networks, [slot]: { ...found, ...chosen(changes, value) } } };
}

function changeForwarding(program: Program, slot: Slot, value: number): Program {
  const found = program.forwardings[slot];
  if (found === undefined) return program;
  const changes: readonly Partial<ForwardingPart>[] = [
    { subnet: found.subnet === 100 ? 101 : 100 },
    { outbound: chosen(["any", "none", "some"] as const, value >> 3) ?? "any" },
    { snat: chosen(["auto", "masquerade", "off"] as const, value >> 3) ?? "auto" },
    { proxyArp: value % 2 === 0 },
    { isolation: !found.isolation },
  ];
  return { ...program, forwardings: { ...program.forwardings, [slot]: { ...found, ...chosen(changes, value) } } };
}

function changeForward(program: Program, pick: number, value: number, stack: StackName): Program {
  const found = chosen(program.forwards, pick);
  if (found === undefined) return program;
  const others = { ...program, forwards: program.forwards.filter((one) => one !== found) };
  const size = found.size === 1 ? 2 : 1;
  const resized = freePort(others, stack, size, value >> 3);
  const changes: readonly Partial<ForwardPart>[] = [
    { port: freePort(others, stack, found.size, value >> 3) ?? found.port },
    resized === undefined ? {} : { size, port: resized },
    { guest: found.guest === 11 ? 12 : 11 },
    { protocol: chosen(["tcp", "udp", "both"] as const, value >> 3) ?? "tcp" },
    { enabled: !found.enabled },
    { hairpin: !found.hairpin },
    { targetPort: found.targetPort === 80 ? 8080 : 80 },
  ];
  const change = chosen(changes, value);
  return { ...program, forwards: program.forwards.map((one) => (one === found ? { ...one, ...change } : one)) };
}

function changeVif(program: Program, pick: number, value: number): Program {
  const found = chosen(program.vifs, pick);
  if (found === undefined) return program;
  const slot = chosen(Object.keys(program.networks) as Slot[], value >> 3) ?? found.slot;
  // A VIF that is taken over keeps its own.
  const mac = found.takesOver ? {} : { mac: `02:16:3e:0${found.vm.at(-1)}:0${found.device}:${10 + (value % 90)}` };
  const changes: readonly Partial<VifPart>[] = [{ slot }, { plugged: !found.plugged }, { rate: 1000 + value }, mac];
  const change = chosen(changes, value);
  return { ...program, vifs: program.vifs.map((vif) => (vif === found ? { ...vif, ...change } : vif)) };
}

/** Another name, and every second time an alias that tells the old one. */
function renamedPart<T extends NetworkPart | ForwardingPart | ForwardPart | VifPart>(part: T, value: number): T {
  const [, base, number = "1"] = /^(.*?)(?:-r(\d+))?$/.exec(part.name) ?? [];
  const { formerName: _former, ...kept } = part;
  const name = `${base}-r${Number(number) + 1}`;
  return (value % 2 === 0 ? { ...kept, name, formerName: part.name } : { ...kept, name }) as T;
}

function freePort(program: Program, stack: StackName, size: number, from: number): number | undefined {
  const isTaken = (port: number) =>
    program.forwards.some((one) => port < one.port + one.size && one.port < port + size);
  const ports = Array.from(
    { length: PORTS - size + 1 },
    (_, index) => firstPort(stack) + ((index + from) % (PORTS - size + 1)),
  );
  return ports.find((port) => !isTaken(port));
}

function freeName(program: Program): string {
  const names = new Set(program.forwards.map(({ name }) => name));
  let number = 1;
  while (names.has(`web-${number}`)) number += 1;
  return `web-${number}`;
}
