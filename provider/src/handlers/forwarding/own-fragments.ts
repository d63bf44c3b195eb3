import type { Fragment } from "../../rules/fragment";
import { sameStack } from "../../rules/owner";
import type { Props } from "../handler";
import { textOf } from "../props";

/**
 * Tells the fragments of a resource and of its stack from others. After a rename of the stack, or with another `ownerPrefix`,
 * the host has them under the former name until the next up, and only the old inputs tell that one.
 */
export function ownFragments(olds: Props, news: Props): (fragment: Pick<Fragment, "owner">) => boolean {
  const owners = [textOf(news, "owner") ?? "", textOf(olds, "owner")].filter((owner) => owner !== undefined);
  return (fragment) => owners.some((owner) => fragment.owner === owner || sameStack(fragment.owner, owner));
}
