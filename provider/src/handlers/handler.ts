import type { HostContext } from "../hosts/context";
import type { Problem } from "../validation/problem";

/** A property bag as it travels between engine and provider: plain data, without functions or `undefined`. */
export type Props = Readonly<Record<string, unknown>>;

export interface CheckAnswer {
  readonly inputs: Props;
  readonly failures: readonly Problem[];
}

export interface DiffAnswer {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: true;
}

export interface CreateAnswer {
  readonly id: string;
  readonly outs: Props;
}

export interface ReadAnswer {
  /** Empty: the resource is gone. */
  readonly id: string;
  readonly props: Props;
  /** What would have to be declared to describe what is there; absent: the recorded inputs still do. */
  readonly inputs?: Props;
}

/**
 * What one kind of resource does. Knows no Pulumi: plain async functions over plain data and a host. Old state is a hint;
 * what is observed decides. "Already there, ours" and "already gone" are successes.
 *
 * `olds` of diff, read, update and delete are old outputs, so outputs hold every input.
 */
export interface Handler {
  check(host: HostContext, olds: Props, news: Props): Promise<CheckAnswer>;
  diff(host: HostContext, id: string, olds: Props, news: Props): Promise<DiffAnswer>;
  create(host: HostContext, inputs: Props): Promise<CreateAnswer>;
  read(host: HostContext, id: string, props: Props): Promise<ReadAnswer>;
  update(host: HostContext, id: string, olds: Props, news: Props): Promise<{ readonly outs: Props }>;
  delete(host: HostContext, id: string, props: Props): Promise<void>;
}
