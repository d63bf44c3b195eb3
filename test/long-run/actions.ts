import type { Edit } from "./stacks/edits.ts";
import type { Slot, StackName, VmName } from "./stacks/program.ts";

/** What the author of a program does. */
export type RunAction = { readonly stack: StackName } & (
  | { readonly do: "up"; readonly edits: readonly Edit[]; readonly refresh: boolean }
  | { readonly do: "destroy"; readonly refresh: boolean }
  | { readonly do: "refresh" }
);

/** What happens beside. `pick` chooses among what is there. */
export type EventAction =
  | { readonly do: "vm"; readonly what: VmDeed; readonly vm: VmName }
  | { readonly do: "hot plug" | "hot unplug"; readonly vm: VmName; readonly stack: StackName; readonly slot: Slot }
  | { readonly do: "bridge"; readonly what: "number" | "name"; readonly stack: StackName; readonly slot: Slot }
  | { readonly do: "xe"; readonly what: XeDeed; readonly stack: StackName; readonly pick: number }
  | { readonly do: "console"; readonly what: ConsoleDeed; readonly pick: number }
  | { readonly do: "dom0"; readonly what: "reboot" | "power cut" | "toolstack restart" };

export const VM_DEEDS = [
  ...(["start", "stop", "reboot", "clean shutdown", "clean reboot"] as const),
  ...(["snapshot", "revert", "clone", "copies removed"] as const),
];
export type VmDeed = (typeof VM_DEEDS)[number];

export const XE_DEEDS = [
  ...(["rename network", "change network", "destroy network", "destroy vif", "plug", "move vif"] as const),
  ...(["change vif", "marks removed"] as const),
];
export type XeDeed = (typeof XE_DEEDS)[number];

export const CONSOLE_DEEDS = [
  ...(["flush", "flush nat", "flush ours", "rule of theirs", "firewall restart"] as const),
  ...(["address", "route", "link down", "forwarding off"] as const),
  ...(["off", "on", "remove", "remove one", "run wiped", "clock jump"] as const),
  ...(["apply killed", "apply with a full disk", "apply during a lock"] as const),
];
export type ConsoleDeed = (typeof CONSOLE_DEEDS)[number];

/** What disturbs a run, so many milliseconds after its call of that number. */
export interface Fault {
  readonly fault: FaultKind;
  readonly call: number;
  readonly ms: number;
}

export const FAULTS = [
  ...(["provider dies", "engine dies", "host program killed", "ssh cut", "reply lost", "connection dropped"] as const),
  ...([
    "sessions end",
    "lock held",
    "disk full",
    "vm starts",
    "vm stops",
    "vm restarts",
    "toolstack restarts",
  ] as const),
  ...(["rules flushed", "run wiped", "clock jumps", "power cut"] as const),
];
export type FaultKind = (typeof FAULTS)[number];

/** `again`: the same run once more at once, which then has to go well. */
export interface DisturbedAction {
  readonly do: "disturbed";
  readonly run: RunAction;
  readonly by: Fault;
  readonly again: boolean;
}

/** Both stacks at the same moment. */
export interface TogetherAction {
  readonly do: "together";
  readonly runs: readonly [RunAction, RunAction];
}

export type Action = RunAction | EventAction | DisturbedAction | TogetherAction;

export function isEvent(action: Action): action is EventAction {
  return !["up", "destroy", "refresh", "disturbed", "together"].includes(action.do);
}
