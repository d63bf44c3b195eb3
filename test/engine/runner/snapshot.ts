import type { Deployment, PendingOperation } from "./deployment.ts";
import type { ResourceState } from "./resource-state.ts";

/**
 * The state while it changes: what this run made, then what is left of the state before it. With a `save` it is written
 * before and after every operation, so that a run that dies leaves a true record.
 */
export class Snapshot {
  #base: readonly ResourceState[];
  readonly #unfinished: readonly PendingOperation[];
  readonly #done = new Set<ResourceState>();
  readonly #made: ResourceState[] = [];
  readonly #pending = new Map<ResourceState, PendingOperation>();
  readonly #save: ((deployment: Deployment) => void) | undefined;

  constructor(before: Deployment, save?: (deployment: Deployment) => void) {
    this.#base = before.resources;
    // Like the engine: nobody knows what became of a create that was running, so its record stays.
    this.#unfinished = before.pendingOperations.filter(({ type }) => type === "creating");
    this.#save = save;
  }

  /** The resources before the run, or after its refresh. */
  get base(): readonly ResourceState[] {
    return this.#base;
  }

  begin(resource: ResourceState, type: PendingOperation["type"]): void {
    this.#pending.set(resource, { resource: { ...resource }, type });
    this.write();
  }

  end(resource: ResourceState): void {
    this.#pending.delete(resource);
  }

  /** The old record is superseded or gone. */
  finish(old: ResourceState | undefined): void {
    if (old !== undefined) this.#done.add(old);
  }

  add(resource: ResourceState): void {
    this.#made.push(resource);
  }

  /** Forgets a resource that this very run made or confirmed. */
  remove(resource: ResourceState): void {
    const index = this.#made.indexOf(resource);
    if (index >= 0) this.#made.splice(index, 1);
    this.#done.add(resource);
  }

  /** Takes the refreshed resources as the state before the run. */
  rebase(resources: readonly ResourceState[]): void {
    this.#base = resources;
    this.write();
  }

  current(): Deployment {
    const resources = [...this.#made, ...this.#base.filter((resource) => !this.#done.has(resource))];
    return {
      resources: withCurrentUrns(resources),
      pendingOperations: [...this.#unfinished, ...this.#pending.values()],
    };
  }

  write(): void {
    this.#save?.(this.current());
  }
}

/**
 * A renamed resource may still be named by its former URN in records that this run has not come to. Once these are
 * right, the former URN has served its purpose, and is not recorded.
 */
function withCurrentUrns(resources: readonly ResourceState[]): readonly ResourceState[] {
  const present = new Set(resources.map(({ urn }) => urn));
  const renamed = new Map<string, string>();
  for (const { urn, aliases } of resources) {
    for (const alias of aliases) if (!present.has(alias)) renamed.set(alias, urn);
  }
  if (renamed.size === 0) return resources;
  const rename = (urn: string): string => renamed.get(urn) ?? urn;
  return resources.map((resource) => ({
    ...resource,
    aliases: [],
    parent: rename(resource.parent),
    dependencies: resource.dependencies.map(rename),
    propertyDependencies: Object.fromEntries(
      Object.entries(resource.propertyDependencies).map(([key, urns]) => [key, urns.map(rename)]),
    ),
  }));
}
