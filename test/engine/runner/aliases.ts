import type { AliasSpec, Goal } from "./registration.ts";
import type { ResourceState } from "./resource-state.ts";
import { makeUrn, nameOf, qualifiedTypeOf, STACK_TYPE, typeOf, withQualifiedType } from "./urn.ts";

export interface FoundResource {
  readonly old: ResourceState | undefined;
  /** The former URN under which it was found. */
  readonly alias?: string;
}

/** What a registration or a read says about the resource's names. */
type Named = Pick<Goal, "type" | "name" | "parent" | "aliases">;

/** Finds the recorded resources of a run under their present or former URNs. */
export class AliasTable {
  readonly #stack: string;
  readonly #project: string;
  /** Present URN → former URN. */
  readonly #former = new Map<string, string>();
  /** Former URN → present URN. */
  readonly #taken = new Map<string, string>();

  constructor(stack: string, project: string) {
    this.#stack = stack;
    this.#project = project;
  }

  /** True if a resource with another URN has taken this record over. */
  isTaken(urn: string): boolean {
    return this.#taken.has(urn);
  }

  find(
    urn: string,
    goal: Named,
    recorded: ReadonlyMap<string, ResourceState>,
    seen: ReadonlySet<string>,
  ): FoundResource {
    const takenBy = this.#taken.get(urn);
    if (takenBy !== undefined) throw new Error(`${urn} is the former name of ${takenBy}, which is already registered.`);
    const direct = recorded.get(urn);
    if (direct !== undefined) return { old: direct };
    const alias = this.#formerUrns(goal).find((candidate) => recorded.has(candidate));
    if (alias === undefined) return { old: undefined };
    const claimedBy = seen.has(alias) ? alias : this.#taken.get(alias);
    if (claimedBy !== undefined) {
      throw new Error(`${urn} names ${alias} as its alias, but that resource belongs to ${claimedBy}.`);
    }
    this.#former.set(urn, alias);
    this.#taken.set(alias, urn);
    return { old: recorded.get(alias), alias };
  }

  #formerUrns(goal: Named): string[] {
    const own = goal.aliases.map((alias) => this.#urnOf(alias, goal));
    const formerParent = this.#former.get(goal.parent);
    if (formerParent === undefined) return own;
    const names = [
      { type: goal.type, name: goal.name },
      ...own.map((urn) => ({ type: typeOf(urn), name: nameOf(urn) })),
    ];
    return [...own, ...names.map((child) => this.#underFormerParent(child, nameOf(goal.parent), formerParent))];
  }

  #urnOf(alias: AliasSpec, goal: Named): string {
    if (alias.urn !== "") return alias.urn;
    const parent = alias.parent === "" ? goal.parent : (this.#former.get(alias.parent) ?? alias.parent);
    const isRoot = alias.noParent || (parent !== "" && qualifiedTypeOf(parent) === STACK_TYPE);
    return makeUrn({
      stack: alias.stack || this.#stack,
      project: alias.project || this.#project,
      parent: isRoot ? "" : parent,
      type: alias.type || goal.type,
      name: alias.name || goal.name,
    });
  }

  // A child named after its parent was named after the parent's former name too.
  #underFormerParent(child: { type: string; name: string }, parentName: string, formerParent: string): string {
    const name = child.name.startsWith(parentName)
      ? nameOf(formerParent) + child.name.slice(parentName.length)
      : child.name;
    return withQualifiedType(this.#stack, this.#project, qualifiedTypeOf(formerParent), child.type, name);
  }
}
