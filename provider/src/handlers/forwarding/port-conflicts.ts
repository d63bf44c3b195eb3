import type { HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { claimCovers, claimsOverlap, listenerOverlaps, type PortClaim, redirectOverlaps } from "../../rules/conflicts";
import type { Fragment } from "../../rules/fragment";
import { describeOwner } from "../../rules/owner";
import { parseSavedRule } from "../../rules/saved";
import { renderPortRange } from "../../validation/port-range";
import type { Problem } from "../../validation/problem";
import { isUnknown } from "../../validation/unknown";
import type { Props } from "../handler";
import { textOf } from "../props";
import { claimsOf, externalPortsOf } from "./port-forward-spec";
import { fragmentsOf, ownFragments } from "./stored-fragments";
import { externalAddressOf, externalInterfaceOf, isLeased } from "./surroundings";

/** Stands for the address that the host chooses of an interface while nobody can ask it: equal to itself only. */
const unresolved = (interfaceName: string | undefined) => `auto ${interfaceName ?? ""}`;

/** Who else wants the forward's ports: this program's resources, other stacks, other tools, programs of dom0. */
export function checkPortConflicts(
  host: HostContext,
  { olds, news }: { readonly olds: Props; readonly news: Props },
  snapshot: HostSnapshot | undefined,
): Problem[] {
  const known = ["host", "externalAddress", "externalInterface", "protocol", "externalPort"].map((key) => news[key]);
  if (isUnknown(known) || externalPortsOf(news) === undefined) return [];
  const mine = claimsOf(news).map((claim) => ({ ...claim, address: addressOf(news, snapshot) }));
  const inRun = claimInRun(host, news, mine);
  if (inRun.length > 0 || snapshot === undefined) return inRun;
  const fragments = fragmentsOf(snapshot);
  const owner = textOf(news, "owner") ?? "";
  const isOwn = ownFragments(olds, news);
  const heldBy = (fragment: Fragment) => mine.flatMap((claim) => commonPorts(claim, fragment, snapshot))[0];
  const others = fragments.filter((fragment) => !isOwn(fragment));
  const held = others.flatMap((other) => {
    const claim = heldBy(other);
    if (claim === undefined) return [];
    const culprit = `${describeOwner(other.owner)} holds it on this host`;
    return [taken({ claim, culprit, ifSecret: culprit }, ". Choose")];
  });
  const foreign = [...foreignRedirects(news, mine, snapshot), ...listeners(news, mine, snapshot)];
  // A forward that is in force already goes on: what came later than it is no reason to stop a whole deployment.
  const own = fragments.filter(isOwn);
  const isInForce = mine.every((claim) => own.some((fragment) => fragmentCovers(claim, fragment, snapshot)));
  if (!isInForce) return [...held, ...foreign.map((other) => taken(other, `. ${other.way}, or choose`))];
  // Without the declared port, which may be a secret.
  for (const { culprit } of foreign) host.warn(`The port of ${describeOwner(owner)} is not its own: ${culprit}.`);
  return held;
}

/** Who else has to do with a port. */
interface Culprit {
  readonly claim: PortClaim;
  readonly culprit: string;
  /** The same without any port, for a forward whose ports are secret. */
  readonly ifSecret: string;
}

/** One that is no resource, and how to make room. */
type ForeignCulprit = Culprit & { readonly way: string };

function addressOf(inputs: Props, snapshot: HostSnapshot | undefined): string | undefined {
  const unknown = unresolved(externalInterfaceOf(inputs, snapshot));
  if (snapshot === undefined) return textOf(inputs, "externalAddress") ?? unknown;
  return isLeased(inputs, snapshot) ? undefined : (externalAddressOf(inputs, snapshot) ?? unknown);
}

/** Two resources of one run must not claim the same port; which of them would win could not be told. */
function claimInRun(host: HostContext, news: Props, mine: readonly PortClaim[]): Problem[] {
  const owner = textOf(news, "owner") ?? "";
  const other = host.claims.ports(host.profile, owner, mine);
  if (other === undefined) return [];
  const both = `${describeOwner(other.owner)} and ${describeOwner(owner)}`;
  const reason = `expected one forward a port, but two of this program ask for ${shown(other.claim)}: ${both}`;
  const ifSecret = `expected one forward a port, but two of this program ask for the same: ${both}`;
  return [{ property: "externalPort", reason, ifSecret }];
}

/** The ports that both want. */
function commonPorts(claim: PortClaim, fragment: Fragment, snapshot: HostSnapshot): PortClaim[] {
  const theirs = claimsOfFragment(fragment, snapshot).filter((other) => claimsOverlap(claim, other));
  return theirs.map(({ ports: { from, to } }) => ({
    ...claim,
    ports: { from: Math.max(from, claim.ports.from), to: Math.min(to, claim.ports.to) },
  }));
}

function fragmentCovers(claim: PortClaim, fragment: Fragment, snapshot: HostSnapshot): boolean {
  return claimsOfFragment(fragment, snapshot).some((theirs) => claimCovers(theirs, claim));
}

/** The ports that a stored forward takes, with its address as the host resolves it now. */
function claimsOfFragment(fragment: Fragment, snapshot: HostSnapshot): PortClaim[] {
  if (!fragment.enabled) return [];
  const { externalInterface, externalAddress } = fragment;
  const inputs: Props = {
    ...(externalInterface === "auto" ? {} : { externalInterface }),
    ...(externalAddress === "auto" ? {} : { externalAddress }),
  };
  const address = addressOf(inputs, snapshot);
  return fragment.claims.map((claim) => ({ ...claim, address }));
}

function foreignRedirects(news: Props, mine: readonly PortClaim[], snapshot: HostSnapshot): ForeignCulprit[] {
  const inInterface = externalInterfaceOf(news, snapshot);
  return snapshot.foreign.flatMap(({ table, line }) => {
    const rule = parseSavedRule(table, line);
    const claim = rule && mine.find((one) => redirectOverlaps(one, inInterface, rule));
    if (claim === undefined) return [];
    const ifSecret = "a rule of another tool redirects it on this host";
    return [{ claim, culprit: `${ifSecret} (${table} ${line})`, ifSecret, way: "Remove that rule" }];
  });
}

/** dom0's plain web port is a matter of a warning, and management ports have a check of their own. */
function listeners(news: Props, mine: readonly PortClaim[], snapshot: HostSnapshot): ForeignCulprit[] {
  if (news["allowManagementPort"] === true) return [];
  const others = snapshot.listens.filter(({ protocol, port }) => protocol !== "tcp" || port !== 80);
  return mine.flatMap((claim) => {
    const found = others.find((listener) => listenerOverlaps(claim, listener));
    if (found === undefined) return [];
    const text = (where: string) =>
      `a program of dom0 listens on ${where} and is not reached from outside while the port is forwarded`;
    const way = "Set allowManagementPort: true if that is what you want";
    return [{ claim, culprit: text(`${found.address} port ${found.port}`), ifSecret: text("it"), way }];
  });
}

function taken({ claim, culprit, ifSecret }: Culprit, then: string): Problem {
  const told = (found: string, who: string) =>
    `expected a free port, found ${found}: ${who}${then} another external port`;
  const property = "externalPort";
  return { property, reason: told(shown(claim), culprit), ifSecret: told("a secret one that is taken", ifSecret) };
}

function shown({ protocol, ports }: PortClaim): string {
  return `${protocol} port ${renderPortRange(ports)}`;
}
