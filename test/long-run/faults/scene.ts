import type { Fault, RunAction } from "../actions.ts";
import type { Machine } from "../machine.ts";
import type { Model } from "../model.ts";
import type { VmName } from "../stacks/program.ts";
import type { ProviderProcess } from "../stacks/provider-process.ts";

/** What a disturbance can reach. */
export interface Scene {
  readonly machine: Machine;
  readonly model: Model;
  readonly provider: ProviderProcess;
  readonly run: RunAction;
  readonly by: Fault;
}

/** Ends a fault and waits for what it has begun; tells whether it came to anything. */
export type Disarm = () => Promise<boolean>;

/** The VM to which it happens. */
export const vmOf = ({ ms }: Fault): VmName => (ms % 2 === 0 ? "Fedora server 1" : "Fedora server 2");
