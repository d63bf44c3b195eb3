/** What a long run has done so far. */
export interface Statistics {
  sequences: number;
  /** Steps of resources, and events. */
  operations: number;
  readonly byKind: Map<string, number>;
  faults: number;
  refusals: number;
  readonly states: Set<string>;
}

export const newStatistics = (): Statistics => ({
  ...{ sequences: 0, operations: 0, faults: 0, refusals: 0 },
  byKind: new Map(),
  states: new Set(),
});

export function count(statistics: Statistics, kind: string, times = 1): void {
  statistics.operations += times;
  statistics.byKind.set(kind, (statistics.byKind.get(kind) ?? 0) + times);
}

/** A line for people. */
export function summary({ sequences, operations, faults, refusals, states, byKind }: Statistics): string {
  const kinds = [...byKind].sort(([, a], [, b]) => b - a).map(([kind, times]) => `${kind} ${times}`);
  return (
    `${operations} operations in ${sequences} sequences, ${faults} faults injected, ${refusals} runs refused with a reason, ` +
    `${states.size} distinct states (${kinds.join(", ")})`
  );
}
