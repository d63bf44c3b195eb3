import { claimsOverlap, type PortClaim } from "../rules/conflicts";
import { type Cidr, overlaps } from "../validation/ipv4";

/** Where a forwarding of this run lives. */
export interface ForwardingClaim {
  /** UUID of the network, while it is known. */
  readonly network: string | undefined;
  readonly subnet: Cidr | undefined;
}

/** Which resource of this run claims what; a second claim of the same thing names the first. */
export class Claims {
  readonly #ownerOf = new Map<string, string>();
  readonly #ports = new Map<string, { readonly host: string; readonly claims: readonly PortClaim[] }>();
  readonly #forwardings = new Map<string, { readonly host: string } & ForwardingClaim>();

  /** Records the claim and gives up the owner's earlier ones; returns the other owner when the thing is taken. */
  claim(key: string, owner: string): string | undefined {
    const holder = this.#ownerOf.get(key);
    if (holder !== undefined && holder !== owner) return holder;
    for (const [other, claimant] of this.#ownerOf) {
      if (claimant === owner) this.#ownerOf.delete(other);
    }
    this.#ownerOf.set(key, owner);
    return undefined;
  }

  /** The same for ports of a host's external address. */
  ports(
    host: string,
    owner: string,
    mine: readonly PortClaim[],
  ): { readonly owner: string; readonly claim: PortClaim } | undefined {
    for (const [other, theirs] of this.#ports) {
      if (other === owner || theirs.host !== host) continue;
      const claim = mine.find((one) => theirs.claims.some((another) => claimsOverlap(one, another)));
      if (claim !== undefined) return { owner: other, claim };
    }
    this.#ports.set(owner, { host, claims: mine });
    return undefined;
  }

  /** The same for a forwarding, which needs a network and addresses of its own on its host. */
  forwarding(
    host: string,
    owner: string,
    mine: ForwardingClaim,
  ): { readonly owner: string; readonly on: "network" | "address" } | undefined {
    for (const [other, theirs] of this.#forwardings) {
      if (other === owner || theirs.host !== host) continue;
      if (mine.network !== undefined && mine.network === theirs.network) return { owner: other, on: "network" };
      const both = mine.subnet !== undefined && theirs.subnet !== undefined;
      if (both && overlaps(mine.subnet as Cidr, theirs.subnet as Cidr)) return { owner: other, on: "address" };
    }
    this.#forwardings.set(owner, { host, ...mine });
    return undefined;
  }
}
