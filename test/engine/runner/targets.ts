import { dependencyUrns, type ResourceState } from "./resource-state.ts";
import { DYNAMIC_PROVIDER_TYPE, STACK_TYPE } from "./urn.ts";

/** The resources to which an operation is confined; without any, it covers all. */
export class Targets {
  readonly #named: readonly string[];
  readonly #withDependents: boolean;
  /** Named, or found to depend on what is covered. */
  readonly #covered: Set<string>;

  constructor(urns: readonly string[], withDependents: boolean) {
    const pattern = urns.find((urn) => urn.includes("*"));
    if (pattern !== undefined) {
      throw new Error(`The stack runner does not support patterns as targets (${pattern}): use the real engine.`);
    }
    this.#named = urns;
    this.#withDependents = withDependents;
    this.#covered = new Set(urns);
  }

  get isConstrained(): boolean {
    return this.#named.length > 0;
  }

  get withDependents(): boolean {
    return this.#withDependents;
  }

  isNamed(urn: string): boolean {
    return !this.isConstrained || this.#named.includes(urn);
  }

  /** Named targets that nobody knows. */
  missing(isKnown: (urn: string) => boolean): readonly string[] {
    return this.#named.filter((urn) => !isKnown(urn));
  }

  /** True if a registration is to be acted on; what depends on it is asked later, since programs go in that order. */
  covers(resource: ResourceState): boolean {
    if (!this.isConstrained || isAlwaysCovered(resource)) return true;
    const isCovered = this.#covers(resource, dependencyUrns(resource));
    if (isCovered) this.#covered.add(resource.urn);
    return isCovered;
  }

  /** The recorded resources that a refresh reads. */
  among(recorded: readonly ResourceState[]): readonly ResourceState[] {
    if (!this.isConstrained) return recorded;
    const found = new Targets(this.#named, this.#withDependents);
    return recorded.filter((resource) => {
      const isFound = found.#covers(resource, new Set([...resource.dependencies, ...propertyUrns(resource)]));
      if (isFound) found.#covered.add(resource.urn);
      return isFound;
    });
  }

  #covers(resource: ResourceState, needed: ReadonlySet<string>): boolean {
    if (this.#covered.has(resource.urn)) return true;
    return this.#withDependents && [...needed, resource.parent].some((urn) => this.#covered.has(urn));
  }
}

function isAlwaysCovered({ type }: ResourceState): boolean {
  return type === DYNAMIC_PROVIDER_TYPE || type === STACK_TYPE;
}

function propertyUrns(resource: ResourceState): readonly string[] {
  return Object.values(resource.propertyDependencies).flat();
}
