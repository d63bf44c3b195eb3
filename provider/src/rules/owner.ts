import { quoted } from "../core/foreign-text";
import { sameName } from "../core/same-name";

/** Project and stack of a resource's URN, `urn:pulumi:<stack>::<project>::<types>::<name>`, without an ownerPrefix. */
export interface OwnerParts {
  readonly stack: string;
  readonly project: string;
  readonly name: string;
}

/** Takes an owner mark apart; `undefined` when it is no URN. */
export function parseOwner(owner: string): OwnerParts | undefined {
  const match = /urn:pulumi:(.*?)::(.*?)::.*::(.+)$/s.exec(owner);
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined;
  return { stack: match[1], project: match[2], name: match[3] };
}

/** True when both marks were made by the same stack: an older declaration of it is no conflict, deletes come last. */
export function sameStack(a: string, b: string): boolean {
  const [left, right] = [parseOwner(a), parseOwner(b)];
  if (left === undefined || right === undefined) return sameName(a, b);
  const prefix = (owner: string) => owner.slice(0, owner.indexOf("urn:pulumi:"));
  return left.stack === right.stack && left.project === right.project && prefix(a) === prefix(b);
}

/** A mark as people read it: `"nat" of stack shop/dev`. Whoever may write marks there must not write messages with them. */
export function describeOwner(owner: string): string {
  const parts = parseOwner(owner);
  if (parts === undefined) return isPlain(owner) ? owner : quoted(owner);
  const stack = `${parts.project}/${parts.stack}`;
  return `${quoted(parts.name)} of stack ${isPlain(stack) ? stack : quoted(stack)}`;
}

/** The characters that Pulumi allows in names of projects and stacks. */
function isPlain(text: string): boolean {
  return /^[\w./-]{1,200}$/.test(text);
}
