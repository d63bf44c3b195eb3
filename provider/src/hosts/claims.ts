/** Which resource of this run claims which port; a second claim of the same port names the first. */
export class Claims {
  readonly #ownerOf = new Map<string, string>();

  /** Records the claim and gives up the owner's earlier ones; returns the other owner when the port is taken. */
  claim(key: string, owner: string): string | undefined {
    const holder = this.#ownerOf.get(key);
    if (holder !== undefined && holder !== owner) return holder;
    for (const [other, claimant] of this.#ownerOf) {
      if (claimant === owner) this.#ownerOf.delete(other);
    }
    this.#ownerOf.set(key, owner);
    return undefined;
  }
}
