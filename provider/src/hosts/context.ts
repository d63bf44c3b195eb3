import type { Dom0Host } from "../dom0/host";
import type { XapiClient } from "../xapi/client";
import type { Claims } from "./claims";
import type { PoolView } from "./pool-view";
import type { XapiWay } from "./profile-keys";
import type { Release } from "./release";

/** Who a host is according to XAPI. */
export interface HostIdentity {
  readonly poolUuid: string;
  /** The oldest one that a host of the pool runs. */
  readonly release: Release;
  /** Seconds for which a host may be cut off before high availability fences it; undefined while that is off. */
  readonly haTimeout: number | undefined;
  /** The pool's hosts; a dom0's INSTALLATION_UUID is the UUID of one of them. */
  readonly hosts: ReadonlyArray<{
    readonly uuid: string;
    readonly name: string;
    /** Undefined on hosts that do not report it. */
    readonly sshEnabled: boolean | undefined;
    /** Address of its management interface. */
    readonly address: string;
  }>;
}

/** What a handler gets of the host profile a resource names. */
export interface HostContext {
  readonly profile: string;
  readonly xapi: XapiClient;
  readonly xapiVia: XapiWay;
  readonly dom0: Dom0Host;
  /** Networks that keep reaching dom0 itself when a management port is forwarded; with prefix length. */
  readonly managementSources: readonly string[];
  /** Asked once a process. */
  identity(): Promise<HostIdentity>;
  /** The UUID of the host behind the SSH endpoint; an error when it is none of the pool's. */
  hostUuid(): Promise<string>;
  /** An error when a change that cuts the host off could last so long that high availability fences the host. */
  assertSafeWindow(): Promise<void>;
  /**
   * Networks, VMs and VIFs; shared by reads that follow each other within 2 s (for 20 s at most, so that a refresh of many
   * resources looks once), and read anew after {@link poolChanged}.
   */
  poolView(): Promise<PoolView>;
  /** To be told after every writing XAPI call. */
  poolChanged(): void;
  /** Ids this process has met in read, diff or update: a create never takes one of them for a left-over of its own. */
  readonly seenIds: Set<string>;
  /**
   * Owner marks whose declaration this process has checked on this host, with the mark of today: after a rename the old
   * one leads to the new one. A delete of one of them makes room for a create; any other one is for good.
   */
  readonly declaredOwners: Map<string, string>;
  /** Ports, devices and MAC addresses claimed in this run. */
  readonly claims: Claims;
  /** Runs `work` alone among those with the same key, e.g. one create at a time for a VM. */
  exclusively<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Shown to the user under the stack. */
  warn(text: string): void;
}
