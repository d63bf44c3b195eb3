import { XennetError } from "../core/errors";
import type { HostContext } from "../hosts/context";
import { type ApiVersion, type Release, reaches } from "../hosts/release";
import type { Problem } from "../validation/problem";
import { isUnknown } from "../validation/unknown";
import type { Props } from "./handler";

interface Milestone {
  readonly api: ApiVersion;
  /** The first release that has it. */
  readonly since: string;
  readonly does: string;
}

/** What hosts learned after 5.5, with the API version that brought it (xapi's release_info.json). */
const milestones = {
  networkMtu: { api: [1, 7], since: "XenServer 5.6", does: "gives networks an MTU" },
  locking: { api: [1, 10], since: "XenServer 6.1", does: "knows locking modes and allowed addresses" },
  guestAddress: { api: [2, 5], since: "XenServer 7.0", does: "sets addresses in guests" },
  move: { api: [2, 6], since: "XenServer 7.1", does: "moves VIFs to another network" },
  bridgeName: { api: [2, 7], since: "XenServer 7.2", does: "takes a name for a bridge" },
} as const satisfies Readonly<Record<string, Milestone>>;

/** Something that not every release can. */
export type Ability = keyof typeof milestones;

/** What each property asks of the host; one that is not here works everywhere. */
const needs = {
  network: { mtu: "networkMtu", defaultLockingMode: "locking", bridge: "bridgeName" },
  VIF: { lockingMode: "locking", ipv4Allowed: "locking", ipv6Allowed: "locking" },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Ability>>>>;

type Kind = keyof typeof needs;

/** What an older host does anyway, so that declaring it asks for nothing. */
const everywhere: Props = { mtu: 1500 };

/** Whether every host of the pool is new enough. Asks nothing that was not asked before. */
export async function can(host: HostContext, ability: Ability): Promise<boolean> {
  return reaches(milestones[ability].api, (await host.identity()).release.api);
}

/** The first release that can. */
export function sinceOf(ability: Ability): string {
  return milestones[ability].since;
}

/** For checks: the declared properties that the host is too old for. */
export async function tooNewProperties(host: HostContext, kind: Kind, news: Props): Promise<Problem[]> {
  return (await refusals(host, kind, news)).map((refusal) => problemOf(refusal));
}

/** For what writes, as its check may have found the host out of reach. */
export async function refuseTooNew(host: HostContext, kind: Kind, news: Props): Promise<void> {
  const [first] = await refusals(host, kind, news);
  if (first !== undefined) throw first;
}

/** What is said of a property that the host is too old for: what it is, which release can, and what to do. */
export async function tooOldFor(
  host: HostContext,
  ability: Ability,
  property: string,
  todo: string,
): Promise<XennetError> {
  return tooOld((await host.identity()).release, ability, property, todo);
}

/** The same as a failure of a check. */
export function problemOf({ property = "host", message, code }: XennetError): Problem {
  return { property, reason: `${message} (${code})` };
}

async function refusals(host: HostContext, kind: Kind, news: Props): Promise<XennetError[]> {
  const { release } = await host.identity();
  return Object.entries<Ability>(needs[kind])
    .filter(([property, ability]) => isAsked(news, property) && !reaches(milestones[ability].api, release.api))
    .map(([property, ability]) => tooOld(release, ability, property, `leave ${property} out`));
}

function tooOld({ name }: Release, ability: Ability, property: string, todo: string): XennetError {
  const { does, since } = milestones[ability];
  const message = `expected a host that ${does} (since ${since}), found ${name}; ${todo}`;
  return new XennetError("HOST_TOO_OLD", message, { property });
}

function isAsked(news: Props, property: string): boolean {
  const value = news[property];
  if (value === undefined) return false;
  return everywhere[property] === undefined || (!isUnknown(value) && value !== everywhere[property]);
}
