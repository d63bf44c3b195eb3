import type { RequestListener } from "node:http";
import type { Backplane } from "./backplane.ts";

/** How to start a {@link Simulator}; everything but the password has a default. */
export interface SimulatorOptions {
  readonly profile?: ProfileName;
  readonly backplane?: Backplane;
  readonly username?: string;
  readonly password: string;
  /** A TCP port of the loopback (0: any), or the path of a Unix socket that somebody forwards TCP to. TLS on both. */
  readonly listen?: { readonly port?: number; readonly host?: string } | { readonly path: string };
  /** Wait before a wrong password is refused; a real host takes 5000. */
  readonly authDelayMs?: number;
  /** The recipe's host with its two guests, or a pool whose host has a NIC and no guest. */
  readonly seed?: "recipe" | "empty";
  readonly uuids?: SeedUuids;
  /** A certificate to show, or what the server speaks (by default as the profile) with a certificate of that time. */
  readonly tls?: TlsIdentity | TlsKind;
  /** With 2, a member joins the master: hosts are then known by the addresses they listen on. */
  readonly hosts?: 1 | 2;
  /** Where the second host of a pool listens, and what it shows: 127.0.0.2, on the first one's port, by default. */
  readonly member?: MemberOptions;
}

/** What the second host of a pool has of its own; never the first one's certificate unless given. */
export interface MemberOptions {
  readonly listen?: SimulatorOptions["listen"];
  readonly uuids?: Pick<SeedUuids, "host" | "controlDomain">;
  readonly tls?: TlsIdentity;
}

export type ProfileName = "xcp-ng-8.3" | "xcp-ng-8.2" | "xenserver-6.2" | "xenserver-5.6";

/** Identities that something outside (the lab's inventory file) has to share; random unless given. */
export interface SeedUuids {
  readonly pool?: string;
  readonly host?: string;
  readonly controlDomain?: string;
}

/** TLS 1.2 and better, or nothing but TLS 1.0 with RSA key exchange and a SHA-1 certificate of 1024 bits. */
export type TlsKind = "modern" | "legacy";

/** Private key and certificate, both PEM. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

/** What a field of a record or a parameter can be. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

/** One call that came over the wire. */
export interface RecordedCall {
  /** Without the `Async.` prefix, e.g. `VIF.plug`. */
  readonly method: string;
  readonly async: boolean;
  /** True when the call can change the pool; logins, getters, events and tasks do not. */
  readonly writing: boolean;
  readonly time: Date;
  /** Which of the {@link Simulator.hosts} was asked. */
  readonly host: number;
  /** The error code when the call failed. */
  readonly error?: string;
}

/** One host of the pool, and how its XAPI is reached; at any time one of them is the master. */
export interface SimulatedHost {
  /** `https://127.0.0.1:<port>`; empty when it listens on a Unix socket. */
  readonly url: string;
  readonly port: number | undefined;
  /** SHA-256 of the certificate, upper-case hex with colons. */
  readonly fingerprint: string;
  readonly certificatePem: string;
  readonly hostUuid: string;
  /** What HOST_IS_SLAVE names when this host is the master, and `host.address`. */
  readonly address: string;
  /** For a plain HTTP server on dom0's port 80: the welcome page, and the API as on port 443. */
  readonly httpHandler: RequestListener;
}

/** A running pool; what it has as a {@link SimulatedHost} is that of its first host, the master until told otherwise. */
export interface Simulator extends SimulatedHost {
  readonly poolUuid: string;
  readonly hosts: readonly SimulatedHost[];
  readonly calls: readonly RecordedCall[];
  /** How many calls came, of one method (`"VIF.create"`) or matching a predicate. */
  countCalls(which?: string | ((call: RecordedCall) => boolean)): number;
  openSessions(): number;
  readonly faults: Faults;
  readonly admin: Admin;
  /** As a toolstack restart of a host: connections end, with the master's also sessions, and bridge names start again; guests run on. */
  restart(host?: number): Promise<void>;
  /** As a reboot of a host, records only: no guest of its runs, no VIF is attached, sessions end. The backplane is not called. */
  hostRebooted(host?: number): Promise<void>;
  /** The answer makes the pool what it is now, as often as it is called; calls stay counted, and faults planned. */
  save(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** The world changing behind a client's back: same semantics as over the wire, no session, not counted. */
export interface Admin {
  call<T = Value>(method: string, ...args: Value[]): Promise<T>;
  /** Writes fields of a record as nobody could over the API, e.g. `("pool", ref, { uuid })`. */
  modify(className: string, ref: string, fields: Readonly<Record<string, Value>>): void;
  /** What the guest brings along; takes effect at its next start. */
  setGuestTools(vm: string, tools: Partial<GuestTools>): void;
}

/** What a guest's drivers and agent can do. */
export interface GuestTools {
  readonly pvDrivers: boolean;
  readonly staticIp: boolean;
  readonly hotplugVif: "yes" | "no" | "unspecified";
  /** The running guest does not let go of a VIF unless forced; takes effect at once. */
  readonly refusesUnplug: boolean;
}

/** Switches for what goes wrong on real networks; `method` is without `Async.` and meets both forms. */
export interface Faults {
  /** The call takes effect, the connection ends without a reply; the first `after` calls of the method go well. */
  loseReply(method: string, times?: number, after?: number): void;
  /** The connection ends before the call is looked at; the first `after` calls of the method go well. */
  dropConnection(method: string, times?: number, after?: number): void;
  /** The call fails with this error and does nothing. */
  fail(method: string, code: string, params?: readonly string[], times?: number): void;
  /** The call, or the task of it, is answered as done, and does nothing. */
  pretend(method: string, times?: number): void;
  /** The call starts so much later. */
  delay(method: string, ms: number, times?: number): void;
  /** Every session that is open after so many more calls is forgotten; the last of them is still served. */
  expireSessionsAfter(calls: number): void;
  /** The first host sends everybody to this address, as a pool member does; `undefined` ends that. */
  slaveOf(masterAddress: string | undefined, masterFingerprint?: string): void;
  /** Another of the {@link Simulator.hosts} becomes the master: sessions and connections end, the old one is a member. */
  newMaster(host: number): void;
  /**
   * A long operation runs on a VM or a VIF, shown in its `current_operations`, until the function that is returned is
   * called. Other operations wait for it; after `patienceMs`, two hours by default, with OTHER_OPERATION_IN_PROGRESS.
   */
  busy(className: "VM" | "VIF", ref: string, operation: string, patienceMs?: number): () => void;
  /**
   * `look` is asked about every call that came over the wire, before it takes effect and after; the call waits for it.
   * `cut` ends the connection: before, the call takes no effect; after, its reply is lost. Nothing ends the asking.
   */
  intercept(look?: Interception): void;
  /** What whoever is logged in may do; `pool-admin` to begin with. */
  role(role: Role): void;
  clear(): void;
}

/** See {@link Faults.intercept}. */
export type Interception = (
  call: Pick<RecordedCall, "method" | "writing">,
  when: "before" | "after",
) => "go" | "cut" | Promise<"go" | "cut">;

/** The roles of XAPI, the mightiest first. */
export type Role = "pool-admin" | "pool-operator" | "vm-power-admin" | "vm-admin" | "vm-operator" | "read-only";
