import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import type { PoolUnderTest } from "../handlers/pool-under-test.ts";

/**
 * Fields of a record, each compared with `toEqual`; asymmetric matchers are fine. May name objects of the pool, such as a
 * network's reference.
 */
export type Expected = Props | ((pool: PoolUnderTest) => Promise<Props>);

/** What one kind of resource brings to the lifecycle suite, which runs every case on every profile. */
export interface LifecycleCase {
  /** As in the type token, e.g. `XenNetwork`. */
  readonly kind: string;
  readonly handler: Handler;
  /** XAPI's class of the object that the resource makes. */
  readonly className: "network" | "VIF";
  /** Makes what the resource needs in the pool; answers the smallest declaration, `owner` included. */
  prepare(pool: PoolUnderTest): Promise<Props>;
  /** Fields that the new object has. */
  readonly created: Expected;
  /** The writing calls of create, update and delete, in their order. */
  readonly createCalls: readonly string[];
  readonly deleteCalls: readonly string[];
  readonly updates: readonly PropertyUpdate[];
  readonly outsideChanges: readonly OutsideChange[];
  readonly foreign: readonly ForeignObject[];
  readonly adoptions: readonly Adoption[];
  /** Fields of neighbours that follow from the object while it is there, e.g. `VM.VIFs`. */
  readonly derived: readonly string[];
}

/** One change that XAPI can make in place. */
export interface PropertyUpdate {
  readonly title: string;
  /** Declared from the start, on top of the smallest declaration. */
  readonly from?: Props;
  /** Changed then; a property that is `undefined` is not declared any more. */
  readonly to: Props;
  readonly record: Expected;
  readonly calls: readonly string[];
  /** The host can do it only with another object, which is the same but for its identity. */
  readonly isRemade?: boolean;
  /** Run between create and update, e.g. to start the VM. */
  readonly meanwhile?: (pool: PoolUnderTest) => Promise<void>;
}

/** A change by hand that a refresh shows and the next `up` takes back. */
export interface OutsideChange {
  readonly title: string;
  /** Declared on top of the smallest declaration. */
  readonly given?: Props;
  change(pool: PoolUnderTest, ref: string): Promise<void>;
}

/** Something in the way that is not the resource's own: refused in preview and in create, and left as it is. */
export interface ForeignObject {
  readonly title: string;
  /** Puts it there; answers what is declared on top of the smallest declaration. */
  prepare(pool: PoolUnderTest): Promise<Props>;
  /** Part of what preview or create says. */
  readonly message: RegExp;
}

/** An object that is there already and is taken over: given back, it is field for field what it was. */
export interface Adoption {
  readonly title: string;
  /** Names the object, after making it where it is not the pool's own; and what is declared. */
  prepare(pool: PoolUnderTest): Promise<{ readonly uuid: string; readonly given: Props }>;
  readonly record: Expected;
  /** The host can do it only with another object, which is the same but for its identity. */
  readonly isRemade?: boolean;
  /** A later change of what is declared, on top. */
  readonly later: Props;
}
