import type { HostSnapshot } from "./snapshot";

interface ChangeFlags {
  /** True when the change could cut the management traffic: it is then confirmed by a fresh SSH login. */
  readonly touchesManagement?: boolean | undefined;
}

/** One resource's wish for the host: its fragment stored, or taken away. */
export type FragmentChange =
  | ({ readonly op: "put"; readonly token: string; readonly text: string } & ChangeFlags)
  | ({ readonly op: "remove"; readonly token: string; readonly incarnation: string } & ChangeFlags);

/** What became of a {@link FragmentChange}: it is in force and confirmed, or (`absent`) there was nothing to remove. */
export interface FragmentOutcome {
  readonly token: string;
  readonly result: "ok" | "absent";
  /** The host right after the change. */
  readonly snapshot: HostSnapshot;
}
