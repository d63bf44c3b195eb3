import { freePort } from "./ports.ts";
import type { ForwardingPart, ForwardPart, NetworkPart, Program, Slot, StackName, VifPart } from "./program.ts";

export const chosen = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)];

/** What is chosen by `value` as well, once that has chosen what changes. */
const further = (value: number): number => value >> 3;

export function changeNetwork(program: Program, slot: Slot, value: number): Program {
  const found = program.networks[slot];
  if (found === undefined) return program;
  const changes: ReadonlyArray<Partial<NetworkPart>> = [
    { label: `${found.label.replace(/ \d$/, "")} ${value % 10}` },
    { description: `changed ${value}` },
    { tags: further(value) % 2 === 0 ? ["b", "a"] : [] },
    { mtu: found.mtu === 9000 ? 1500 : 9000 },
    found.bridge === undefined ? { tags: ["c"] } : { bridge: toggled(found.bridge) },
  ];
  return { ...program, networks: { ...program.networks, [slot]: { ...found, ...chosen(changes, value) } } };
}

const toggled = (bridge: string): string => (bridge.endsWith("x") ? bridge.slice(0, -1) : `${bridge}x`);

export function changeForwarding(program: Program, slot: Slot, value: number): Program {
  const found = program.forwardings[slot];
  if (found === undefined) return program;
  const changes: ReadonlyArray<Partial<ForwardingPart>> = [
    { subnet: found.subnet === 100 ? 101 : 100 },
    { outbound: next(["any", "none", "some"] as const, found.outbound) },
    { snat: next(["auto", "masquerade", "off"] as const, found.snat) },
    { proxyArp: found.proxyArp !== true },
    { isolation: !found.isolation },
    { scope: found.scope === "global" ? "interface" : "global" },
    { persistence: found.persistence === "none" ? "auto" : "none" },
    { inbound: found.inbound === "network" ? "forwarded" : "network" },
    { hostAccess: !found.hostAccess },
    { clampMss: found.clampMss === 1400 ? 1300 : 1400 },
    { sendRedirects: found.sendRedirects !== true },
  ];
  return { ...program, forwardings: { ...program.forwardings, [slot]: { ...found, ...chosen(changes, value) } } };
}

export function changeForward(program: Program, pick: number, value: number, stack: StackName): Program {
  const found = chosen(program.forwards, pick);
  if (found === undefined) return program;
  const others = { ...program, forwards: program.forwards.filter((one) => one !== found) };
  const size = found.size === 1 ? 2 : 1;
  const resized = freePort(others, stack, size, further(value));
  const changes: ReadonlyArray<Partial<ForwardPart>> = [
    { port: freePort(others, stack, found.size, further(value)) ?? found.port },
    resized === undefined ? { hairpin: !found.hairpin } : { size, port: resized },
    { guest: found.guest === 11 ? 12 : 11 },
    { protocol: next(["tcp", "udp", "both"] as const, found.protocol) },
    { enabled: !found.enabled },
    { hairpin: !found.hairpin },
    { targetPort: found.targetPort === 80 ? 8080 : 80 },
    { clients: next(["all", "first", "second"] as const, found.clients) },
  ];
  const change = chosen(changes, value);
  return { ...program, forwards: program.forwards.map((one) => (one === found ? { ...one, ...change } : one)) };
}

export function changeVif(program: Program, pick: number, value: number): Program {
  const found = chosen(program.vifs, pick);
  if (found === undefined) return program;
  const slot = chosen(Object.keys(program.networks) as Slot[], further(value)) ?? found.slot;
  const mac = `02:16:3e:0${found.vm.at(-1)}:0${found.device}:${10 + (value % 90)}`;
  const changes: ReadonlyArray<Partial<VifPart>> = [
    { slot },
    { plugged: !found.plugged },
    { rate: 1000 + value },
    // One that was there before keeps its own.
    found.existing === undefined ? { mac } : { slot },
  ];
  const change = chosen(changes, value);
  return { ...program, vifs: program.vifs.map((vif) => (vif === found ? { ...vif, ...change } : vif)) };
}

function next<T>(all: readonly T[], present: T): T {
  return all[(all.indexOf(present) + 1) % all.length] ?? present;
}
