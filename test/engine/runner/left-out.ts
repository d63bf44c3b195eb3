import { dependencyUrns } from "./resource-state.ts";
import { type PlannedStep, subjectOf } from "./steps.ts";

/** What a run does not do although it goes on: what failed, and what needs it. */
export class LeftOut {
  readonly #urns = new Set<string>();

  add(urn: string): void {
    this.#urns.add(urn);
  }

  /** The steps that need nothing that is left out; resources of the others are left out from now on. */
  admit(steps: readonly PlannedStep[]): readonly PlannedStep[] {
    return steps.filter((step) => {
      const resource = subjectOf(step);
      const needed = [resource.parent, ...dependencyUrns(resource)];
      if (!needed.some((urn) => this.#urns.has(urn))) return true;
      this.#urns.add(resource.urn);
      return false;
    });
  }
}
