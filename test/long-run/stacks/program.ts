/** A network that a stack declares. */
export interface NetworkPart {
  readonly name: string;
  /** Under which it was declared before it was renamed. */
  readonly formerName?: string;
  readonly label: string;
  readonly description: string;
  readonly mtu?: number;
  readonly bridge?: string;
  readonly tags: readonly string[];
}

/** A forwarding, of the network in the same slot. */
export interface ForwardingPart {
  readonly name: string;
  readonly formerName?: string;
  /** Number in the address, so that another one is a change in place. */
  readonly subnet: number;
  readonly outbound: "any" | "none" | "some";
  readonly snat: "auto" | "masquerade" | "off";
  readonly proxyArp?: boolean;
  readonly isolation: boolean;
}

/** A forward of the forwarding in the slot it names. */
export interface ForwardPart {
  readonly name: string;
  readonly formerName?: string;
  readonly slot: Slot;
  /** First external port; `size` of them. */
  readonly port: number;
  readonly size: number;
  readonly guest: 11 | 12;
  readonly targetPort: number;
  readonly protocol: "tcp" | "udp" | "both";
  readonly enabled: boolean;
  readonly hairpin: boolean;
}

/** A VIF on the network of a slot. */
export interface VifPart {
  readonly name: string;
  readonly formerName?: string;
  readonly slot: Slot;
  readonly vm: VmName;
  readonly device: string;
  readonly takesOver: boolean;
  readonly plugged: boolean;
  readonly rate?: number;
  readonly mac?: string;
}

export type VmName = "Fedora server 1" | "Fedora server 2";
/** A plain network, one with jumbo frames, and one that names its bridge. */
export type Slot = "plain" | "jumbo" | "named";
export const SLOTS: readonly Slot[] = ["plain", "jumbo", "named"];
export type StackName = "one" | "two";
export const STACKS: readonly StackName[] = ["one", "two"];

/** What the program of a stack declares: at most one network and one forwarding a slot, some forwards, some VIFs. */
export interface Program {
  readonly networks: Readonly<Partial<Record<Slot, NetworkPart>>>;
  readonly forwardings: Readonly<Partial<Record<Slot, ForwardingPart>>>;
  readonly forwards: readonly ForwardPart[];
  readonly vifs: readonly VifPart[];
}

export const EMPTY: Program = { networks: {}, forwardings: {}, forwards: [], vifs: [] };

/** Stacks never meet on the host by accident: each has subnets, ports, bridges and devices of its own. */
const stackNumber = (stack: StackName): number => STACKS.indexOf(stack) + 1;

export function addressOf(stack: StackName, slot: Slot, { subnet }: ForwardingPart): string {
  return `10.${stackNumber(stack)}${SLOTS.indexOf(slot)}.${subnet}.1/24`;
}

export function guestOf(stack: StackName, slot: Slot, forwarding: ForwardingPart, guest: number): string {
  return addressOf(stack, slot, forwarding).replace(/\d+\/24$/, String(guest));
}

/** The ports of a stack; ranges take several. */
export const firstPort = (stack: StackName): number => 7000 + 1000 * stackNumber(stack);
export const PORTS = 8;

/** Device numbers of each stack: the first one is there already on the VM that the stack takes it over from. */
export const PLACES: Readonly<Record<StackName, readonly Pick<VifPart, "vm" | "device" | "takesOver">[]>> = {
  one: [
    { vm: "Fedora server 1", device: "0", takesOver: true },
    { vm: "Fedora server 2", device: "1", takesOver: false },
    { vm: "Fedora server 1", device: "2", takesOver: false },
  ],
  two: [
    { vm: "Fedora server 2", device: "0", takesOver: true },
    { vm: "Fedora server 1", device: "3", takesOver: false },
    { vm: "Fedora server 2", device: "4", takesOver: false },
  ],
};

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
  };
}

export function newForwarding(slot: Slot): ForwardingPart {
  return { name: `nat-${slot}`, subnet: 100, outbound: "any", snat: "auto", isolation: true };
}

export function newForward(name: string, slot: Slot, port: number): ForwardPart {
  return {
    ...{ name, slot, port, size: 1, guest: 11, targetPort: 80 },
    ...{ protocol: "tcp", enabled: true, hairpin: false },
  };
}

export function newVif(place: Pick<VifPart, "vm" | "device" | "takesOver">, slot: Slot): VifPart {
  return { name: `vif-${place.vm.at(-1)}-${place.device}`, slot, ...place, plugged: true };
}
