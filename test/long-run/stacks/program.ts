/** A network that a stack declares. */
export interface NetworkPart {
  readonly name: string;
  /** Under which it was declared before it was renamed. */
  readonly formerName?: string;
  readonly label: string;
  readonly description: string;
  readonly mtu?: number;
  readonly bridge?: string;
  /** The name label of the network that it takes over. */
  readonly adopt?: string;
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
  readonly scope: "interface" | "global";
  readonly persistence: "auto" | "none";
  /** Whether the outside reaches every guest. */
  readonly inbound: "forwarded" | "network";
  /** Whether guests reach dom0's port 22. */
  readonly hostAccess: boolean;
  readonly clampMss?: number;
  readonly sendRedirects?: boolean;
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
  /** Who may use it, of the two clients outside. */
  readonly clients: "all" | "first" | "second";
}

/** A VIF on the network of a slot. */
export interface VifPart {
  readonly name: string;
  readonly formerName?: string;
  readonly slot: Slot;
  readonly vm: VmName;
  readonly device: string;
  /** How it deals with the VIF that is there already. */
  readonly existing?: "takeOver" | "adopt";
  readonly plugged: boolean;
  readonly rate?: number;
  readonly mac?: string;
}

export type VmName = "Fedora server 1" | "Fedora server 2";
/** A plain network, one with jumbo frames, one that names its bridge, and one that was there before. */
export type Slot = "plain" | "jumbo" | "named" | "adopted";
export const SLOTS: readonly Slot[] = ["plain", "jumbo", "named", "adopted"];
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

/** Outside of the host. */
export const CLIENTS = { first: "192.168.1.50", second: "192.168.1.51" } as const;

/** Stacks never meet on the host by accident: each has subnets, ports, bridges and devices of its own. */
export const stackNumber = (stack: StackName): number => STACKS.indexOf(stack) + 1;

export function addressOf(stack: StackName, slot: Slot, { subnet }: ForwardingPart): string {
  return `10.${stackNumber(stack)}${SLOTS.indexOf(slot)}.${subnet}.1/24`;
}

export function guestOf(stack: StackName, slot: Slot, forwarding: ForwardingPart, guest: number): string {
  return addressOf(stack, slot, forwarding).replace(/\d+\/24$/, String(guest));
}

/** The ports of a stack; ranges take several. */
export const firstPort = (stack: StackName): number => 7000 + 1000 * stackNumber(stack);
export const PORTS = 8;

export type Place = Pick<VifPart, "vm" | "device" | "existing">;

/** Device numbers of each stack; what is there already is on the VM before anything is declared. */
export const PLACES: Readonly<Record<StackName, readonly Place[]>> = {
  one: [
    { vm: "Fedora server 1", device: "0", existing: "takeOver" },
    { vm: "Fedora server 2", device: "1" },
    { vm: "Fedora server 1", device: "2" },
    { vm: "Fedora server 2", device: "6", existing: "adopt" },
  ],
  two: [
    { vm: "Fedora server 2", device: "0", existing: "takeOver" },
    { vm: "Fedora server 1", device: "3" },
    { vm: "Fedora server 2", device: "4" },
    { vm: "Fedora server 1", device: "6", existing: "adopt" },
  ],
};

/** The network that was there before a stack adopts it. */
export const existingLabel = (stack: StackName): string => `Network of the old days, ${stackNumber(stack)}`;
