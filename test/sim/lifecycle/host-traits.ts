import { isAtLeast } from "../fields.ts";
import { profiles } from "../profiles.ts";
import type { ProfileName } from "../simulator.ts";

/** What releases differ in, as far as the lifecycles show it. */
export interface HostTraits {
  readonly name: string;
  /** Name label of the host's own network, on which a VIF can be as well. */
  readonly ownNetwork: string;
  /** Locking modes and allowed addresses. */
  readonly locking: boolean;
  /** Addresses of guests, set through their tools. */
  readonly guestAddress: boolean;
  /** VIFs that keep their UUID on another network. */
  readonly move: boolean;
  readonly bridgeName: boolean;
}

/** By the API versions that the published reference gives for the fields and calls. */
export function traitsOf(profile: ProfileName): HostTraits {
  const { api, softwareVersion, ownNetwork } = profiles[profile];
  return {
    name: `${softwareVersion["product_brand"]} ${softwareVersion["product_version"]}`,
    ownNetwork: ownNetwork.name_label,
    locking: isAtLeast(api, [1, 10]),
    guestAddress: isAtLeast(api, [2, 5]),
    move: isAtLeast(api, [2, 6]),
    bridgeName: isAtLeast(api, [2, 7]),
  };
}

/** The entries where a condition holds, else none. */
export function where<T>(condition: boolean, ...entries: readonly T[]): readonly T[] {
  return condition ? entries : [];
}

/** What a preview says of something that the host is too old for. */
export function tooOld(does: string, { name }: HostTraits, todo: string): RegExp {
  const text = `expected a host that ${does}, found ${name}; ${todo}`;
  return new RegExp(text.replaceAll(/[().]/g, "\\$&"));
}
