import { XennetError } from "../core/errors";
import { quoted } from "../core/foreign-text";
import { Dom0Host, type Forwarder } from "../dom0/host";
import { XapiClient } from "../xapi/client";
import type { XapiEndpoint } from "../xapi/endpoint";
import * as hosts from "../xapi/hosts";
import { getPool, haTimeoutOf } from "../xapi/pools";
import type { Claims } from "./claims";
import { confirmationWindowProblem, usualWindow } from "./confirmation-window";
import type { HostContext, HostIdentity } from "./context";
import { legacyWarning } from "./legacy-crypto";
import { withOtherPins } from "./pin-looks";
import { observePool, type PoolView } from "./pool-view";
import type { HostProfile } from "./profile";
import type { XapiWay } from "./profile-keys";
import { oldestRelease } from "./release";
import { tunnelOver } from "./xapi-tunnel";

/** How long a look at the pool serves reads that follow each other, and at most. */
const poolViewMs = { sinceLastUse: 2000, atMost: 20_000 };

/** What a host shares with the others of the process. */
export interface HostSurroundings {
  readonly claims: Claims;
  readonly seenIds: Set<string>;
  warn(text: string): void;
}

/** One host profile in use: a pooled XAPI session and a pooled SSH connection, both opened when first needed. */
export class Host implements HostContext {
  readonly profile: string;
  readonly xapi: XapiClient;
  readonly xapiVia: XapiWay;
  readonly dom0: Dom0Host;
  readonly claims: Claims;
  readonly seenIds: Set<string>;
  readonly declaredOwners = new Map<string, string>();
  readonly managementSources: readonly string[];
  readonly #windowSeconds: number;
  readonly #warn: (text: string) => void;
  readonly #locks = new Map<string, Promise<unknown>>();
  readonly #warned = new Set<string>();
  #identity: Promise<HostIdentity> | undefined;
  #hostUuid: Promise<string> | undefined;
  #view: { readonly since: number; used: number; readonly view: Promise<PoolView> } | undefined;

  constructor(profile: HostProfile, surroundings: HostSurroundings) {
    this.profile = profile.name;
    this.managementSources = profile.managementSources ?? [];
    this.claims = surroundings.claims;
    this.seenIds = surroundings.seenIds;
    this.#warn = (text) => surroundings.warn(text);
    this.xapiVia = profile.xapiVia;
    // A session of its own, so that the confirmation proves that a new login still works.
    const confirmProbe = async (fresh: Forwarder, signal: AbortSignal) => {
      const client = new XapiClient(endpointOver(profile, fresh), { onWarning: this.#warn });
      const giveUp = () => void client.close();
      signal.addEventListener("abort", giveUp);
      try {
        await getPool(client);
      } finally {
        signal.removeEventListener("abort", giveUp);
        await client.close();
      }
    };
    this.#windowSeconds = profile.confirmationWindow ?? usualWindow;
    this.dom0 = new Dom0Host({
      ...{ endpoint: profile.ssh, confirmProbe, timing: { windowSeconds: this.#windowSeconds } },
      explain: withOtherPins(profile, "SSH_LEGACY_CRYPTO"),
      // Not once only: each wait is another one.
      notice: this.#warn,
    });
    this.xapi = new XapiClient(endpointOver(profile, this.dom0), {
      onWarning: this.#warn,
      explain: withOtherPins(profile, "XAPI_LEGACY_CRYPTO"),
    });
    if (profile.allowLegacyCrypto === true) this.warn(legacyWarning(profile));
  }

  identity(): Promise<HostIdentity> {
    this.#identity ??= forgetFailure(this.#askIdentity(), () => (this.#identity = undefined));
    return this.#identity;
  }

  hostUuid(): Promise<string> {
    this.#hostUuid ??= forgetFailure(this.#askHostUuid(), () => (this.#hostUuid = undefined));
    return this.#hostUuid;
  }

  async assertSafeWindow(): Promise<void> {
    const { haTimeout } = await this.identity();
    const problem = confirmationWindowProblem(this.profile, this.#windowSeconds, haTimeout);
    if (problem !== undefined) throw new XennetError("CONFIRMATION_WINDOW", problem, { property: "host" });
  }

  poolView(): Promise<PoolView> {
    const now = performance.now();
    const isFresh = (view: { since: number; used: number }) =>
      now - view.used <= poolViewMs.sinceLastUse && now - view.since <= poolViewMs.atMost;
    if (this.#view === undefined || !isFresh(this.#view)) {
      const view = observePool(this.xapi);
      view.catch(() => this.poolChanged());
      this.#view = { since: now, used: now, view };
    }
    this.#view.used = now;
    return this.#view.view;
  }

  poolChanged(): void {
    this.#view = undefined;
  }

  async exclusively<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#locks.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => {});
    this.#locks.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#locks.get(key) === settled) this.#locks.delete(key);
    }
  }

  warn(text: string): void {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#warn(text);
  }

  /** Rolls back what is unconfirmed, logs out and closes both connections. */
  async close(): Promise<void> {
    const xapi = this.xapi.close();
    await Promise.allSettled([this.dom0.close(xapi), xapi]);
  }

  async #askIdentity(): Promise<HostIdentity> {
    const [pool, records] = await Promise.all([getPool(this.xapi), hosts.getAllRecords(this.xapi)]);
    return {
      poolUuid: pool.uuid,
      release: oldestRelease(records),
      haTimeout: haTimeoutOf(pool),
      hosts: records.map((record) => ({
        ...{ uuid: record.uuid, name: record.name_label, address: record.address },
        sshEnabled: record.ssh_enabled,
      })),
    };
  }

  async #askHostUuid(): Promise<string> {
    const { hosts: known } = await this.identity();
    const { host } = await this.#snapshotOrReason(known);
    if (!known.some((candidate) => candidate.uuid === host)) {
      const list = known.map((candidate) => `${quoted(candidate.name)} (${candidate.uuid})`).join(", ");
      throw new XennetError(
        "HOST_MISMATCH",
        `the SSH and XAPI endpoints of host profile ${quoted(this.profile)} are different hosts: SSH reached ${host}, XAPI knows ${list}. Correct xennet:sshHost or xennet:xapiUrl`,
        { property: "host" },
      );
    }
    this.dom0.expectHost(host);
    return host;
  }

  /** A refused SSH connection has a reason XAPI may know: newer hosts can have SSH switched off. */
  async #snapshotOrReason(known: HostIdentity["hosts"]) {
    try {
      return await this.dom0.snapshot();
    } catch (error) {
      const off = known.filter((candidate) => candidate.sshEnabled === false);
      if (!(error instanceof XennetError) || error.code !== "SSH_UNREACHABLE" || off.length === 0) throw error;
      const names = off.map((candidate) => `${quoted(candidate.name)}`).join(", ");
      throw new XennetError(
        "SSH_DISABLED",
        `SSH is switched off on ${names}, so dom0 cannot be reached (${error.message}). Switch it on: xe host-enable-ssh uuid=${off[0]?.uuid}`,
        { property: "host", cause: error },
      );
    }
  }
}

/** XAPI as the profile reaches it; through SSH it is over the connection given. */
function endpointOver(profile: HostProfile, forwarder: Forwarder): XapiEndpoint {
  return profile.xapiVia === "direct" ? profile.xapi : { ...profile.xapi, tunnel: tunnelOver(forwarder, profile.ssh) };
}

/** Keeps a success for the life of the process, and lets a failure be tried again. */
function forgetFailure<T>(work: Promise<T>, forget: () => void): Promise<T> {
  work.catch(forget);
  return work;
}
