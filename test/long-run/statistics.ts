/** What a long run has done so far. */
export interface Statistics {
  sequences: number;
  /** Steps of resources, and events. */
  operations: number;
  readonly byKind: Map<string, number>;
  readonly faultsByKind: Map<string, number>;
  /** Changes of a program by its author. */
  readonly edits: Map<string, number>;
  refusals: number;
  readonly states: Set<string>;
}

export const newStatistics = (): Statistics => ({
  ...{ sequences: 0, operations: 0, refusals: 0 },
  ...{ byKind: new Map(), faultsByKind: new Map(), edits: new Map(), states: new Set() },
});

export function count(statistics: Statistics, kind: string): void {
  statistics.operations += 1;
  add(statistics.byKind, kind);
}

export function countEdit(statistics: Statistics, kind: string): void {
  add(statistics.edits, kind);
}

export function countFault(statistics: Statistics, kind: string): void {
  add(statistics.faultsByKind, kind);
}

/** Adds what one run did to what all of them did. */
export function addUp(all: Statistics, one: Statistics): void {
  all.sequences += one.sequences;
  all.operations += one.operations;
  all.refusals += one.refusals;
  for (const [kind, times] of one.byKind) add(all.byKind, kind, times);
  for (const [kind, times] of one.faultsByKind) add(all.faultsByKind, kind, times);
  for (const [kind, times] of one.edits) add(all.edits, kind, times);
  for (const state of one.states) all.states.add(state);
}

/** Lines for people. */
export function summary(statistics: Statistics): string {
  const { sequences, operations, faultsByKind, edits, refusals, states, byKind } = statistics;
  const faults = [...faultsByKind.values()].reduce((sum, times) => sum + times, 0);
  return [
    `${operations} operations in ${sequences} sequences, ${faults} faults injected, ${states.size} distinct states, ${refusals} runs refused with a reason`,
    `operations: ${listed(byKind)}`,
    `edits of programs: ${listed(edits)}`,
    `faults: ${listed(faultsByKind)}`,
  ].join("\n");
}

function listed(numbers: ReadonlyMap<string, number>): string {
  const most = [...numbers].sort(([, a], [, b]) => b - a);
  return most.map(([kind, times]) => `${kind} ${times}`).join(", ");
}

function add(numbers: Map<string, number>, kind: string, times = 1): void {
  numbers.set(kind, (numbers.get(kind) ?? 0) + times);
}
