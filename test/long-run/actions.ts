import fc from "fast-check";
import { EDITS, type Edit } from "./stacks/edits.ts";
import { SLOTS, type Slot, STACKS, type StackName, type VmName } from "./stacks/program.ts";

/** What the author of a program does. */
export type RunAction = { readonly stack: StackName } & (
  | { readonly do: "up"; readonly edits: readonly Edit[]; readonly refresh: boolean }
  | { readonly do: "destroy"; readonly refresh: boolean }
  | { readonly do: "refresh" }
);

/** What happens beside. `pick` chooses among what is there. */
export type EventAction =
  | { readonly do: "vm"; readonly what: "start" | "stop" | "reboot" | "snapshot and revert"; readonly vm: VmName }
  | { readonly do: "vm"; readonly what: "clone"; readonly vm: VmName }
  | { readonly do: "hot plug" | "hot unplug"; readonly vm: VmName; readonly stack: StackName; readonly slot: Slot }
  | { readonly do: "bridge"; readonly what: "number" | "name"; readonly stack: StackName; readonly slot: Slot }
  | { readonly do: "xe"; readonly what: XeDeed; readonly stack: StackName; readonly pick: number }
  | { readonly do: "console"; readonly what: ConsoleDeed; readonly pick: number }
  | { readonly do: "dom0"; readonly what: "reboot" | "power cut" | "toolstack restart" };

export const XE_DEEDS = ["rename network", "destroy network", "destroy vif", "plug", "marks removed"] as const;
export type XeDeed = (typeof XE_DEEDS)[number];
export const CONSOLE_DEEDS = [
  ...(["flush", "flush nat", "flush ours", "rule of theirs", "firewall restart", "address", "link down"] as const),
  ...(["off", "on", "remove", "run wiped", "forwarding off", "clock jump"] as const),
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
  ...(["sessions end", "lock held", "disk full", "vm starts", "vm stops", "toolstack restarts"] as const),
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

const stack = fc.constantFrom(...STACKS);
const slot = fc.constantFrom(...SLOTS);
const vm = fc.constantFrom<VmName>("Fedora server 1", "Fedora server 2");
const pick = fc.nat(63);

const edit = fc.record({ edit: fc.constantFrom(...EDITS), pick, value: fc.nat(127) });
const up = (of: fc.Arbitrary<StackName>) =>
  fc.record({
    do: fc.constant("up" as const),
    stack: of,
    edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
    refresh: fc.boolean(),
  });
const everything = (of: fc.Arbitrary<StackName>) =>
  fc.record({
    do: fc.constant("up" as const),
    stack: of,
    edits: fc.constant([{ edit: "everything", pick: 0, value: 0 }] as const),
    refresh: fc.boolean(),
  });
const destroy = (of: fc.Arbitrary<StackName>) =>
  fc.record({ do: fc.constant("destroy" as const), stack: of, refresh: fc.boolean() });
const refresh = (of: fc.Arbitrary<StackName>) => fc.record({ do: fc.constant("refresh" as const), stack: of });

const runOf = (of: fc.Arbitrary<StackName>): fc.Arbitrary<RunAction> =>
  fc.oneof(
    { weight: 6, arbitrary: up(of) },
    { weight: 3, arbitrary: everything(of) },
    { weight: 3, arbitrary: destroy(of) },
    { weight: 2, arbitrary: refresh(of) },
  );

const event: fc.Arbitrary<EventAction> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("vm" as const),
      what: fc.constantFrom("start" as const, "start" as const, "stop" as const, "reboot" as const),
      vm,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("vm" as const), what: fc.constant("snapshot and revert" as const), vm }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("vm" as const), what: fc.constant("clone" as const), vm }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("hot plug" as const, "hot unplug" as const), vm, stack, slot }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("bridge" as const),
      what: fc.constantFrom("number" as const, "name" as const),
      stack,
      slot,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("xe" as const), what: fc.constantFrom(...XE_DEEDS), stack, pick }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("console" as const), what: fc.constantFrom(...CONSOLE_DEEDS), pick }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("dom0" as const),
      what: fc.constantFrom("reboot" as const, "power cut" as const, "toolstack restart" as const),
    }),
  },
);

const disturbed: fc.Arbitrary<DisturbedAction> = fc.record({
  do: fc.constant("disturbed" as const),
  run: runOf(stack),
  by: fc.record({ fault: fc.constantFrom(...FAULTS), call: fc.nat(24), ms: fc.nat(400) }),
  again: fc.boolean(),
});

const together: fc.Arbitrary<TogetherAction> = fc.record({
  do: fc.constant("together" as const),
  runs: fc.tuple(runOf(fc.constant("one" as const)), runOf(fc.constant("two" as const))),
});

/** Any action; a run comes as often as all the rest. */
export const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: runOf(stack) },
  { weight: 7, arbitrary: event },
  { weight: 4, arbitrary: disturbed },
  { weight: 2, arbitrary: together },
);
