import type { Goal } from "../../engine/runner/registration.ts";
import { makeUrn } from "../../engine/runner/urn.ts";
import type { PropertyMap } from "../../engine/runner/values.ts";
import {
  addressOf,
  CLIENTS,
  type ForwardingPart,
  type ForwardPart,
  guestOf,
  type NetworkPart,
  type Program,
  SLOTS,
  type Slot,
  type StackName,
  type VifPart,
} from "./program.ts";

export const PROJECT = "shop";

/** What is done of a resource, as its dependents get it. */
export interface Done {
  readonly id: string;
  readonly outputs: PropertyMap;
}

/** A registration of the program: it is made once what it needs is done. */
export interface Registration {
  readonly name: string;
  readonly needs: readonly string[];
  goal(done: ReadonlyMap<string, Done>): Goal;
}

type Kind = "XenNetwork" | "XenVif" | "HostForwarding" | "PortForward";

const typeOf = (kind: Kind) => `pulumi-nodejs:dynamic/xennet:${kind}`;

function urnOf(stack: StackName, kind: Kind, name: string): string {
  return makeUrn({ stack, project: PROJECT, type: typeOf(kind), name });
}

/** The registrations of a program in the order in which it makes them, with what the resource classes hand on. */
export function registrationsOf(stack: StackName, program: Program): Registration[] {
  return [
    ...SLOTS.flatMap((slot) => {
      const network = program.networks[slot];
      return network === undefined ? [] : [networkGoal(stack, network)];
    }),
    ...program.vifs.flatMap((vif) => {
      const network = program.networks[vif.slot];
      return network === undefined ? [] : [vifGoal(stack, vif, network)];
    }),
    ...SLOTS.flatMap((slot) => {
      const [network, forwarding] = [program.networks[slot], program.forwardings[slot]];
      return network === undefined || forwarding === undefined ? [] : [natGoal(stack, slot, network, forwarding)];
    }),
    ...program.forwards.flatMap((forward) => {
      const [network, forwarding] = [program.networks[forward.slot], program.forwardings[forward.slot]];
      return network === undefined || forwarding === undefined ? [] : [forwardGoal(stack, forward, forwarding)];
    }),
  ];
}

interface Named {
  readonly name: string;
  readonly formerName?: string;
}

/** `from`: which of the resource's inputs come from which resource. */
function goalOf(
  stack: StackName,
  kind: Kind,
  part: Named,
  properties: PropertyMap,
  from: Record<string, string>,
): Goal {
  const urns = [...new Set(Object.values(from))];
  const alias = { urn: "", name: part.formerName ?? "", type: "", stack: "", project: "", parent: "", noParent: false };
  return {
    type: typeOf(kind),
    name: part.name,
    ...{ custom: true, parent: "", dependencies: urns, deleteBeforeReplace: true, additionalSecretOutputs: [] },
    properties: { host: "default", owner: urnOf(stack, kind, part.name), ...properties },
    propertyDependencies: Object.fromEntries(Object.entries(from).map(([key, urn]) => [key, [urn]])),
    aliases: part.formerName === undefined ? [] : [alias],
    ...{ protect: undefined, retainOnDelete: undefined, ignoreChanges: [] },
  };
}

function networkGoal(stack: StackName, part: NetworkPart): Registration {
  const { label, description, mtu, bridge, tags, adopt } = part;
  const properties: PropertyMap = {
    ...{ nameLabel: label, nameDescription: description, tags: [...tags] },
    ...(mtu === undefined ? {} : { mtu }),
    ...(bridge === undefined ? {} : { bridge }),
    ...(adopt === undefined ? {} : { adopt: { nameLabel: adopt } }),
  };
  return { name: part.name, needs: [], goal: () => goalOf(stack, "XenNetwork", part, properties, {}) };
}

function vifGoal(stack: StackName, part: VifPart, network: NetworkPart): Registration {
  const { vm, device, existing, plugged, rate, mac } = part;
  const properties: PropertyMap = {
    ...{ vm, device, plugged },
    ...(existing === "takeOver" ? { onDeviceConflict: "takeOver" } : {}),
    ...(existing === "adopt" ? { adopt: true } : {}),
    ...(rate === undefined ? {} : { rateLimitKBytesPerSecond: rate }),
    ...(mac === undefined ? {} : { mac }),
  };
  const from = { network: urnOf(stack, "XenNetwork", network.name) };
  return {
    name: part.name,
    needs: [network.name],
    goal: (done) => goalOf(stack, "XenVif", part, { ...properties, network: idOf(done, network.name) }, from),
  };
}

function natGoal(stack: StackName, slot: Slot, network: NetworkPart, part: ForwardingPart): Registration {
  const properties: PropertyMap = {
    address: addressOf(stack, slot, part),
    outbound: part.outbound === "some" ? ["192.168.1.60"] : part.outbound,
    snat: part.snat,
    isolation: part.isolation,
    networkLabel: network.label,
    ...{ forwardingScope: part.scope, persistence: part.persistence, inbound: part.inbound },
    guestAccessToHost: part.hostAccess ? [{ protocol: "tcp", port: 22 }] : "none",
    ...(part.clampMss === undefined ? {} : { clampMss: part.clampMss }),
    ...(part.sendRedirects === undefined ? {} : { sendRedirects: part.sendRedirects }),
    ...(part.proxyArp === undefined ? {} : { proxyArp: part.proxyArp }),
  };
  const urn = urnOf(stack, "XenNetwork", network.name);
  return {
    name: part.name,
    needs: [network.name],
    goal: (done) => {
      const from = { network: urn, networkLabel: urn };
      return goalOf(stack, "HostForwarding", part, { ...properties, network: idOf(done, network.name) }, from);
    },
  };
}

function forwardGoal(stack: StackName, part: ForwardPart, forwarding: ForwardingPart): Registration {
  const { port, size, guest, slot, targetPort, protocol, enabled, hairpin } = part;
  const properties: PropertyMap = {
    ...{ protocol, targetPort, enabled, hairpin, target: guestOf(stack, slot, forwarding, guest) },
    externalPort: size === 1 ? port : `${port}-${port + size - 1}`,
    ...(part.clients === "first" ? { sources: [CLIENTS.first] } : {}),
    ...(part.clients === "second" ? { notSources: [CLIENTS.first] } : {}),
  };
  const urn = urnOf(stack, "HostForwarding", forwarding.name);
  const handedOn = ["forwarding", "network", "forwardingAddress", "networkLabel"];
  return {
    name: part.name,
    needs: [forwarding.name],
    goal: (done) => {
      const { id, outputs } = done.get(forwarding.name) as Done;
      const { network = null, address = null, networkLabel = null } = outputs;
      const parts = { forwarding: id, network, forwardingAddress: address, networkLabel };
      const from = Object.fromEntries(handedOn.map((key) => [key, urn]));
      return goalOf(stack, "PortForward", part, { ...properties, ...parts }, from);
    },
  };
}

const idOf = (done: ReadonlyMap<string, Done>, name: string) => done.get(name)?.id ?? "";
