import { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import { networkByUuid } from "../../hosts/pool-view";
import { describeOwner } from "../../rules/owner";
import type { NetworkRecord } from "../../xapi/networks";
import { formerIn } from "../former";
import type { Props } from "../handler";
import { ownPartOf, renderId } from "../identity";
import { formerKey, incarnationKey, ownerKey } from "../marks";
import { textOf } from "../props";

/** The network of an id; `undefined` when it is not in the pool any more. */
export async function findNetwork(host: HostContext, id: string): Promise<NetworkRecord | undefined> {
  const uuid = ownPartOf(id, (await host.identity()).poolUuid, "pool", host.profile);
  return networkByUuid(await host.poolView(), uuid);
}

/** What an interrupted create of the same resource left behind. */
export async function leftOverOf(host: HostContext, owner: string): Promise<NetworkRecord | undefined> {
  const { poolUuid } = await host.identity();
  const isSeen = (uuid: string) => host.seenIds.has(renderId({ realm: poolUuid, own: uuid }));
  const { networks } = await host.poolView();
  const found = networks.filter((network) => network.other_config[ownerKey] === owner && !isSeen(network.uuid));
  if (found.length <= 1) return found[0];
  const list = found.map((network) => `${quoted(network.name_label)} (${network.uuid})`).join(", ");
  throw new XennetError(
    "OWNER_AMBIGUOUS",
    `${describeOwner(owner)} owns ${found.length} networks, expected one at most: ${list}. Destroy the ones that are too many with \`xe network-destroy uuid=…\`, then run up again`,
  );
}

/**
 * Refuses a network that carries another resource's mark now. Ours is the new owner's or, after a rename, the one that
 * came with our incarnation; no mark at all is written anew.
 */
export function refuseOthers(network: NetworkRecord, recorded: Props, news: Props): void {
  const incarnation = network.other_config[incarnationKey];
  const isOurs = incarnation !== undefined && incarnation === recorded["incarnation"];
  if (!isOurs) refuseForeign(network, textOf(news, "owner") ?? "");
}

/** Refuses a network with another resource's mark. */
export function refuseForeign(network: NetworkRecord, owner: string, property?: string): void {
  const bearer = ownerOf(network);
  if (bearer === undefined || bearer === owner) return;
  throw new XennetError(
    "NETWORK_FOREIGN",
    `expected a network that no other resource manages, found that ${quoted(network.name_label)} (${network.uuid}) belongs ` +
      `to ${describeOwner(bearer)}. Take it out of that stack first; if that stack is gone, ` +
      `remove the keys ${ownerKey}, ${incarnationKey} and ${formerKey} with \`xe network-param-remove\``,
    { property },
  );
}

/** A mark, or the record of former values that another resource left. */
function ownerOf(network: NetworkRecord): string | undefined {
  return network.other_config[ownerKey] ?? formerIn("network", network.uuid, network.other_config)?.owner;
}
