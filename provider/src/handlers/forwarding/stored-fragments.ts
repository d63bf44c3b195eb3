import type { HostSnapshot } from "../../dom0/host";
import { type Fragment, parseFragment } from "../../rules/fragment";
import { sameStack } from "../../rules/owner";
import type { Props } from "../handler";
import { textOf } from "../props";

type Stored = HostSnapshot["fragments"][number];

/** A check looks at every declaration of the host, and an up checks every resource against the same look. */
const read = new WeakMap<Stored, Fragment | undefined>();

/** What a stored declaration says; `undefined` when it cannot be read. */
export function fragmentOf(stored: Stored): Fragment | undefined {
  if (!read.has(stored)) read.set(stored, parseFragment(stored.text));
  return read.get(stored);
}

/** The declarations of all stacks on the host, without those that cannot be read. */
export function fragmentsOf(snapshot: HostSnapshot): Fragment[] {
  return snapshot.fragments.map(fragmentOf).filter((found) => found !== undefined);
}

/** What the host has of this owner. */
export function storedOf(snapshot: HostSnapshot, kind: Fragment["kind"], owner: string): Stored[] {
  return snapshot.fragments.filter((stored) => {
    const fragment = fragmentOf(stored);
    return fragment?.kind === kind && fragment.owner === owner;
  });
}

/**
 * Tells the fragments of a resource and of its stack from others. After a rename of the stack, or with another `ownerPrefix`,
 * the host has them under the former name until the next up, and only the old inputs tell that one.
 */
export function ownFragments(olds: Props, news: Props): (fragment: Pick<Fragment, "owner">) => boolean {
  const owners = [textOf(news, "owner") ?? "", textOf(olds, "owner")].filter((owner) => owner !== undefined);
  return (fragment) => owners.some((owner) => fragment.owner === owner || sameStack(fragment.owner, owner));
}
