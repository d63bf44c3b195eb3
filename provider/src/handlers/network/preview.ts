import { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import type { PoolView } from "../../hosts/pool-view";
import { describeOwner, sameStack } from "../../rules/owner";
import type { Problem } from "../../validation/problem";
import { isUnknown } from "../../validation/unknown";
import { tooNewProperties } from "../abilities";
import { formerIn } from "../former";
import type { Props } from "../handler";
import { ownerKey } from "../marks";
import { textOf } from "../props";
import { orFailure } from "../references";
import { networkToAdopt, refuseUnadoptable, selectorOf } from "./adoptable";
import { isAdopted } from "./check";
import { refuseForeign } from "./identity";
import { refuseLockingWhilePlugged } from "./users";

/** What the host says about a declaration, so that a preview shows what `up` would fail with. */
export async function checkNetworkOnHost(host: HostContext, olds: Props, news: Props): Promise<Problem[]> {
  const failures: Problem[] = [];
  const view = await host.poolView();
  failures.push(...(await tooNewProperties(host, "network", news)));
  if (failures.length > 0) return failures;
  if (isAdopted(news)) {
    // Of a network that is adopted already the selector may be the former name: diff, which has the id, looks.
    if (!isAdopted(olds) && !isUnknown(selectorOf(news)))
      await orFailure(failures, () => checkAdoption(host, view, news));
  } else failures.push(...(await checkBridgeOnHost(host, view, olds, news)));
  return failures;
}

async function checkAdoption(host: HostContext, view: PoolView, news: Props): Promise<void> {
  const network = networkToAdopt(view, news);
  const owner = textOf(news, "owner") ?? "";
  refuseForeign(network, owner, "adopt");
  const wasMade = formerIn("network", network.uuid, network.other_config) === undefined;
  if (network.other_config[ownerKey] === owner && wasMade) {
    throw new XennetError(
      "NETWORK_NOT_ADOPTABLE",
      `expected a network that was there before, found ${quoted(network.name_label)} (${network.uuid}), which this resource made itself; leave adopt out`,
      { property: "adopt" },
    );
  }
  await refuseUnadoptable(host, network, news);
  const mode = news["defaultLockingMode"];
  if (typeof mode === "string" && !isUnknown(mode) && mode !== network.default_locking_mode) {
    await refuseLockingWhilePlugged(host, network);
  }
  const other = host.claims.claim(`network/${network.uuid}`, owner);
  if (other === undefined) return;
  throw new XennetError(
    "NETWORK_FOREIGN",
    `expected a network that no other resource manages, but this program's ${describeOwner(other)} adopts ${quoted(network.name_label)} (${network.uuid}) too`,
    { property: "adopt" },
  );
}

/** A bridge of this stack's own may be free by then: an older declaration of it is no conflict, even if somebody took its marks off. */
async function checkBridgeOnHost(host: HostContext, view: PoolView, olds: Props, news: Props): Promise<Problem[]> {
  const bridge = textOf(news, "bridge");
  if (bridge === undefined || isUnknown(bridge)) return [];
  const owner = textOf(news, "owner") ?? "";
  const other = host.claims.claim(`bridge/${bridge}`, owner);
  if (other !== undefined) {
    const reason = `expected a name of its own, but this program's ${describeOwner(other)} has the bridge ${quoted(bridge)} too`;
    return [{ property: "bridge", reason }];
  }
  if ((await view.pifs()).some((pif) => pif.device === bridge)) {
    const reason = `expected a name that is free, found that ${quoted(bridge)} is a network interface of the host`;
    return [{ property: "bridge", reason }];
  }
  if (!isAdopted(olds) && olds["bridge"] === bridge) return [];
  const holder = view.networks.find((network) => network.bridge === bridge);
  if (holder === undefined || sameStack(holder.other_config[ownerKey] ?? "", owner)) return [];
  const reason = `expected a name that is free, found that ${quoted(bridge)} is the bridge of network ${quoted(holder.name_label)} (${holder.uuid})`;
  return [{ property: "bridge", reason }];
}
