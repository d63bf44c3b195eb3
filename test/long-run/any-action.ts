import fc from "fast-check";
import {
  type Action,
  CONSOLE_DEEDS,
  type DisturbedAction,
  type EventAction,
  FAULTS,
  type RunAction,
  type TogetherAction,
  type VmDeed,
  XE_DEEDS,
} from "./actions.ts";
import { EDITS, type Edit, type EditKind } from "./stacks/edits.ts";
import { SLOTS, STACKS, type StackName, type VmName } from "./stacks/program.ts";

const stack = fc.constantFrom(...STACKS);
const slot = fc.constantFrom(...SLOTS);
const vm = fc.constantFrom<VmName>("Fedora server 1", "Fedora server 2");
const pick = fc.nat(63);

/** So often for once of the others. */
function often<T extends string>(
  all: readonly T[],
  weights: Readonly<Partial<Record<NoInfer<T>, number>>>,
): fc.Arbitrary<T> {
  return fc.oneof(...all.map((one) => ({ weight: weights[one] ?? 1, arbitrary: fc.constant(one) })));
}

/** Changes in place are what an author does most. */
const editKind = often<EditKind>(EDITS, {
  ...{ "change network": 4, "change forwarding": 6, "change forward": 4, "change vif": 4, "swap ports": 2 },
});
export const anyEdit: fc.Arbitrary<Edit> = fc.record({ edit: editKind, pick, value: fc.nat(127) });

const up = (of: fc.Arbitrary<StackName>) =>
  fc.record({
    ...{ do: fc.constant("up" as const), stack: of, refresh: fc.boolean() },
    edits: fc.array(anyEdit, { minLength: 1, maxLength: 4, size: "max" }),
  });
const everything = (of: fc.Arbitrary<StackName>) =>
  fc.record({
    ...{ do: fc.constant("up" as const), stack: of, refresh: fc.boolean() },
    edits: fc.constant([{ edit: "everything", pick: 0, value: 0 }] as const),
  });
const destroy = (of: fc.Arbitrary<StackName>) =>
  fc.record({ do: fc.constant("destroy" as const), stack: of, refresh: fc.boolean() });
const refresh = (of: fc.Arbitrary<StackName>) => fc.record({ do: fc.constant("refresh" as const), stack: of });

const runOf = (of: fc.Arbitrary<StackName>): fc.Arbitrary<RunAction> =>
  fc.oneof(
    { weight: 12, arbitrary: up(of) },
    { weight: 3, arbitrary: everything(of) },
    { weight: 2, arbitrary: destroy(of) },
    { weight: 2, arbitrary: refresh(of) },
  );

const VM_EVENTS: readonly VmDeed[] = ["start", "stop", "reboot", "clean shutdown", "clean reboot"];
const COPIES: readonly VmDeed[] = ["snapshot", "revert", "clone", "copies removed"];
const event: fc.Arbitrary<EventAction> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("vm" as const), what: often(VM_EVENTS, { start: 5 }), vm }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("vm" as const), what: often(COPIES, { revert: 2 }), vm }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("hot plug" as const, "hot unplug" as const), vm, stack, slot }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ do: fc.constant("bridge" as const), what: fc.constantFrom("number" as const, "name" as const) },
      ...{ stack, slot },
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("xe" as const), what: fc.constantFrom(...XE_DEEDS), stack, pick }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      ...{ do: fc.constant("console" as const), pick },
      what: often(CONSOLE_DEEDS, { on: 3 }),
    }),
  },
  {
    weight: 2,
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
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 9, arbitrary: runOf(stack) },
  { weight: 9, arbitrary: event },
  { weight: 5, arbitrary: disturbed },
  { weight: 2, arbitrary: together },
);

const opening: readonly Action[] = [
  ...STACKS.map(
    (of): Action => ({ do: "up", stack: of, edits: [{ edit: "everything", pick: 0, value: 0 }], refresh: false }),
  ),
  ...(["Fedora server 1", "Fedora server 2"] as const).map((of): Action => ({ do: "vm", what: "start", vm: of })),
];

/** What a sequence mostly starts from: everything is declared and runs, as most of what can happen needs something to happen to. */
const anyOpening: fc.Arbitrary<Action[]> = fc
  .tuple(...opening.map((action) => fc.option(fc.constant(action), { freq: 5 })))
  .map((chosen) => chosen.filter((action) => action !== null));

/** An opening, and so many actions at most. */
export const anySequence = (mostActions: number): fc.Arbitrary<readonly Action[]> =>
  fc
    .tuple(anyOpening, fc.array(anyAction, { maxLength: mostActions, size: "max" }))
    .map(([first, then]) => [...first, ...then]);
