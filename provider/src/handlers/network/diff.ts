import { sameName } from "../../core/same-name";
import type { HostContext } from "../../hosts/context";
import { isUnknown } from "../../validation/unknown";
import type { NetworkRecord } from "../../xapi/networks";
import { formerIn } from "../former";
import type { DiffAnswer, Props } from "../handler";
import { preflight } from "../preflight";
import { changedKeys, diffAnswer, equal, textOf, textsOf } from "../props";
import { assertSameRealm } from "../same-realm";
import { isNamedBy, networkToAdopt, refuseUnadoptable, selectorOf } from "./adoptable";
import { isAdopted } from "./check";
import { findNetwork, refuseForeign, refuseOthers } from "./identity";
import { networkProperties } from "./managed";
import { declaredIn } from "./observe";
import { refuseLockingWhilePlugged, refuseReplaceWhileUsed } from "./users";

const compared = ["owner", ...networkProperties, "forceDestroy"];

/** What an update has to do; what the host would refuse is refused here, so that a preview shows it. */
export async function diffNetwork(host: HostContext, id: string, recorded: Props, news: Props): Promise<DiffAnswer> {
  const olds = declaredIn(recorded);
  const order = (props: Props) =>
    props["tags"] === undefined ? props : { ...props, tags: textsOf(props, "tags").sort() };
  const changed = changedKeys(order(olds), order(news), compared);
  const isReselected = isAdopted(news) && !equal(recorded["selector"] ?? selectorOf(olds), selectorOf(news));
  const replaces = changedKeys(olds, news, ["host"]);
  if (replaces.length === 0) await assertSameRealm(host, id, "pool");
  if (isAdopted(olds) !== isAdopted(news) || isUnknown(selectorOf(news))) replaces.push("adopt");
  // Nobody declared a bridge: XAPI's choice stays.
  if (news["bridge"] !== undefined && news["bridge"] !== recorded["bridge"]) replaces.push("bridge");
  const nothing = changed.length + replaces.length === 0 && !isReselected;
  // The old network is in another pool, which this host context does not reach.
  if (nothing || replaces.includes("host")) return diffAnswer(changed, replaces);
  if (!(await preflight(host, "xapi")).reachable) return diffAnswer([...changed, "adopt"], replaces);
  const network = await findNetwork(host, id);
  if (network === undefined) return diffAnswer(changed, replaces);
  refuseOthers(network, recorded, news);
  if (isReselected && replaces.length === 0) {
    changed.push("adopt");
    if (!(await isSelected(host, network, news))) replaces.push("adopt");
  }
  await refuseOnHost(host, network, olds, news, replaces);
  return diffAnswer(changed, replaces);
}

async function refuseOnHost(
  host: HostContext,
  network: NetworkRecord,
  olds: Props,
  news: Props,
  replaces: readonly string[],
): Promise<void> {
  const [property] = replaces;
  if (property !== undefined) {
    // An adopted network is given back: whoever is on it stays.
    const isOurs = !isAdopted(olds);
    if (isOurs) await refuseReplaceWhileUsed(host, network, textOf(news, "owner") ?? "", property);
    return;
  }
  if (isAdopted(news)) await refuseUnadoptable(host, network, news);
  const mode = wantedMode(network, olds, news);
  if (mode !== undefined && mode !== network.default_locking_mode) await refuseLockingWhilePlugged(host, network);
}

/** The default locking mode after the update; `undefined`: it is not touched. */
function wantedMode(network: NetworkRecord, olds: Props, news: Props): unknown {
  if (isUnknown(news["defaultLockingMode"])) return undefined;
  if (news["defaultLockingMode"] !== undefined) return news["defaultLockingMode"];
  if (olds["defaultLockingMode"] === undefined) return undefined;
  const former = formerIn("network", network.uuid, network.other_config);
  return isAdopted(news) ? former?.values["default_locking_mode"] : "unlocked";
}

/** Another selector may name the same network: its UUID instead of its name, or the name it is about to get. */
async function isSelected(host: HostContext, network: NetworkRecord, news: Props): Promise<boolean> {
  const selector = selectorOf(news) ?? {};
  const former = formerIn("network", network.uuid, network.other_config);
  const isFormerName = sameName(former?.values["name_label"], selector["nameLabel"]);
  if (isNamedBy(network, selector) || isFormerName) return true;
  const view = await host.poolView();
  // With adopt: true the name is declared as well; one that nobody has is a new name for this network.
  if (news["adopt"] === true && !view.networks.some((other) => isNamedBy(other, selector))) return true;
  const other = networkToAdopt(view, news);
  if (other.uuid === network.uuid) return true;
  refuseForeign(other, textOf(news, "owner") ?? "", "adopt");
  await refuseUnadoptable(host, other, news);
  return false;
}
